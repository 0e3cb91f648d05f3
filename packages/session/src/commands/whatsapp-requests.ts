import { WafleetError } from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import { fromBaileys, REQUEST_REFUSALS } from './baileys-errors.js';

/**
 * How long WhatsApp may take to answer, ms. Baileys waits for a minute, and with it the session's next commands would
 * wait.
 */
const ANSWER_MS = 10_000;

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
  let answer: { readonly value: T } | undefined;
  const answered = asked.then((value) => {
    answer = { value };
  });
  try {
    await withTimeout(answered, ANSWER_MS);
  } catch (error) {
    throw fromBaileys(error, { refusals: REQUEST_REFUSALS, otherwise });
  }
  if (answer === undefined) throw otherwise('no answer in time');
  return answer.value;
}
