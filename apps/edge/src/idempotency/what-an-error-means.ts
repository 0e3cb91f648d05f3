import type { ErrorCode, WafleetError } from '@wafleet/contract';

/**
 * What an error says about a call.
 * `final`: it was carried out as far as it can be. A retry gets the same answer.
 * `unknown`: it may have been carried out. A retry acts again, with the same ids.
 * `nothing-done`: a retry acts.
 */
export type Meaning = 'final' | 'unknown' | 'nothing-done';

/** WhatsApp has judged the request. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED']);
const UNKNOWN: ReadonlySet<ErrorCode> = new Set(['OUTCOME_UNKNOWN', 'INTERNAL']);

export function errorMeans({ code }: WafleetError): Meaning {
  if (FINAL.has(code)) return 'final';
  return UNKNOWN.has(code) ? 'unknown' : 'nothing-done';
}
