import { type ImportSessionBody, type movingCalls, WafleetError } from '@wafleet/contract';
import {
  BundleError,
  type BundleSecret,
  openBundle,
  type ReadSession,
  readForeignSession,
} from '@wafleet/session-bundle';
import { mayUseSession } from '../access/identity.js';
import { identityOf } from '../auth/request-auth.js';
import { sessionRefOf } from '../auth/session-ref.js';
import type { SessionExport } from '../sessions/session-export.js';
import type { SessionStarter } from '../sessions/session-starter.js';
import { onAnswerEnd } from './answer-end.js';
import type { HandlersOf } from './calls.js';
import { newSessionOf } from './new-session.js';
import { sessionIdOf } from './session-id.js';

interface MovingCallResources {
  readonly starter: SessionStarter;
  readonly exporter: SessionExport;
}

/** Sessions that come from elsewhere, or go there. */
export function movingHandlers({ starter, exporter }: MovingCallResources): HandlersOf<typeof movingCalls> {
  return {
    'import-session': async ({ body, request, reply, ids }) => {
      const { id = sessionIdOf(ids.bytes('session')) } = body;
      const identity = identityOf(request);
      if (!mayUseSession(identity, id)) {
        throw new WafleetError('FORBIDDEN', 'This API key may make the sessions in its list only.');
      }
      const created = newSessionOf(body);
      const { session, phone, device, notes } = await readSession(body);
      const ref = { tenantId: identity.tenantId, sessionId: id };
      const imported = { creds: session.creds, keys: session.keys, phone, device };
      const { sessionId, status } = await starter.import(ref, imported, created);
      reply.header('location', `/api/sessions/${sessionId}`);
      return { id: sessionId, status, phone, notes: { ...notes } };
    },
    'export-session': async ({ params, body, request, reply }) => {
      const client = new AbortController();
      onAnswerEnd(reply, () => client.abort());
      const ref = sessionRefOf(request, params);
      const { bundle, device, createdAt } = await exporter.export(ref, secretOf(body), client.signal);
      return { bundle: bundle.toString('base64'), device, createdAt };
    },
  };
}

async function readSession(body: ImportSessionBody): Promise<ReadSession> {
  const { keepAppState } = body;
  try {
    if (body.from !== 'wafleet') return await readForeignSession(body.from, body.files, { keepAppState });
    return await openBundle(Buffer.from(body.bundle, 'base64'), secretOf(body), { keepAppState });
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    const { problem, path, message } = error;
    if (problem === 'not-opened') throw new WafleetError('BUNDLE_PASSPHRASE_WRONG', message);
    throw new WafleetError('BUNDLE_INVALID', message, { problem, path });
  }
}

/** @throws {WafleetError} VALIDATION_FAILED unless there is a passphrase or a key, and not both. */
function secretOf({
  passphrase,
  key,
}: {
  readonly passphrase?: string | undefined;
  readonly key?: string | undefined;
}): BundleSecret {
  if (passphrase !== undefined && key === undefined) return { passphrase };
  if (key !== undefined && passphrase === undefined) return { key: Buffer.from(key, 'hex') };
  throw new WafleetError('VALIDATION_FAILED', 'The body needs a passphrase or a key, and not both.');
}
