import type { CreateSessionBody } from '@wafleet/contract';
import { plainAfter } from '../sessions/session-changes.js';
import type { NewSession } from '../sessions/session-starter.js';

/**
 * What a session is created with, from the fields that all calls have that create one.
 * @throws {WafleetError} VALIDATION_FAILED if the proxy or the metadata is not valid.
 */
export function newSessionOf({ name, metadata, settings, proxy }: CreateSessionBody): NewSession {
  const isSet = [metadata, settings, proxy].some((value) => value !== undefined);
  return {
    ...(name === undefined ? {} : { name }),
    ...(isSet ? { settings: { plain: plainAfter({}, { metadata, settings, proxy }), proxy } } : {}),
  };
}
