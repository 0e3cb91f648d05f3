import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable, refusalOf } from '@wafleet/store';

/**
 * Converts a failure to the error that a client gets. Errors of the registry stay unchanged. If Redis is out of reach,
 * the result is UNAVAILABLE. Anything else is logged and becomes INTERNAL without details.
 */
export function toWafleetError(error: unknown, logger: Pick<Logger, 'error' | 'warn'>): WafleetError {
  if (error instanceof WafleetError) return error;
  if (isRedisUnreachable(error)) {
    const refusal = refusalOf(error);
    logger.warn({ err: error, refusal }, 'Redis cannot serve a request');
    const cause =
      refusal === undefined ? 'The service cannot reach its store' : `The store refuses: ${refusal}`;
    return new WafleetError('UNAVAILABLE', `${cause}. Try again shortly.`);
  }
  logger.error({ err: error }, 'unexpected failure');
  return new WafleetError('INTERNAL', 'An unexpected failure; it was logged.');
}
