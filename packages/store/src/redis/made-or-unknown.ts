import { WafleetError } from '@wafleet/contract';
import { refusalOf } from './redis-refusal.js';
import { isRedisUnreachable } from './redis-unreachable.js';

/**
 * Waits for something to be made of which a second one would do harm, so that a caller must not simply try again.
 * @param where how the caller finds out whether it was made, as a sentence.
 * @throws {WafleetError} OUTCOME_UNKNOWN if Redis did not answer: it may have made it all the same; else what `making`
 * rejects with.
 */
export async function madeOrUnknown<T>(making: Promise<T>, where: string): Promise<T> {
  try {
    return await making;
  } catch (error) {
    // What Redis refuses is not made.
    if (!isRedisUnreachable(error) || refusalOf(error) !== undefined) throw error;
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      `No answer came in time: it may or may not have been made. ${where}`,
    );
  }
}
