import { WafleetError } from '@wafleet/contract';

/** The one answer for sessions that do not exist, are another tenant's, or are not in the API key's list. */
export function sessionsNotFound(missing: readonly string[]): WafleetError {
  return new WafleetError('SESSION_NOT_FOUND', `There is no session ${missing.slice(0, 10).join(', ')}.`, {
    sessions: missing,
  });
}
