import { WafleetError } from '@wafleet/contract';
import { answerInTime } from './answer-in-time.js';
import { fromBaileys, REQUEST_REFUSALS } from './baileys-errors.js';

/**
 * Awaits a call of Baileys that asks WhatsApp for something.
 * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp does not answer in 10 s, or the connection ends.
 */
export function read<T>(asked: Promise<T>): Promise<T> {
  return answerOf(
    asked,
    (cause) => new WafleetError('UNAVAILABLE', 'WhatsApp did not answer.', undefined, { cause }),
  );
}

/**
 * Awaits a call of Baileys that changes something. To repeat the change is harmless.
 * @throws {WafleetError} WHATSAPP_REFUSED; OUTCOME_UNKNOWN if WhatsApp does not answer in 10 s, or the connection ends.
 */
export function change<T>(asked: Promise<T>): Promise<T> {
  const message = 'WhatsApp did not confirm the change. Look whether it holds, or send it again.';
  return answerOf(asked, (cause) => new WafleetError('OUTCOME_UNKNOWN', message, undefined, { cause }));
}

async function answerOf<T>(asked: Promise<T>, otherwise: (cause: unknown) => WafleetError): Promise<T> {
  try {
    return await answerInTime(asked, otherwise);
  } catch (error) {
    throw fromBaileys(error, { refusals: REQUEST_REFUSALS, otherwise });
  }
}
