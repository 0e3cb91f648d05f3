import { WafleetError } from '@wafleet/contract';
import { refusalOf } from './redis-refusal.js';
import { isRedisUnreachable } from './redis-unreachable.js';

/**
 * Waits for the creation of something that must not be created twice. The caller must not retry it blindly.
 * @param where a sentence that says how the caller finds out whether it was made.
 * @throws {WafleetError} OUTCOME_UNKNOWN if Redis did not answer, since Redis may have made it nevertheless; else
 * whatever `making` rejects with.
 */
export async function madeOrUnknown<T>(making: Promise<T>, where: string): Promise<T> {
  try {
    return await making;
  } catch (error) {
    // If Redis refuses, nothing was made.
    if (!isRedisUnreachable(error) || refusalOf(error) !== undefined) throw error;
    throw new WafleetError(
      'OUTCOME_UNKNOWN',
      `No answer came in time: it may or may not have been made. ${where}`,
    );
  }
}
