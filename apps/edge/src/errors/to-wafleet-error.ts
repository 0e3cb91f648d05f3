import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable, refusalOf } from '@wafleet/store';

/**
 * What a client is told of a failure: errors of the registry as they are, a Redis out of reach as UNAVAILABLE,
 * anything else, after it was logged, as INTERNAL without a detail.
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
