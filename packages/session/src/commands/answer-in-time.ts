import { withTimeout } from '@wafleet/runtime';

/**
 * How long WhatsApp may take to answer, ms. The edge allows 15 s for a whole command. Baileys waits for a minute, and the
 * session's next commands would wait with it.
 */
const ANSWER_MS = 10_000;

/**
 * Awaits a call of Baileys that asks WhatsApp for something. Rejects as the call does.
 * @throws {Error} `late`, if there is no answer in 10 s.
 */
export async function answerInTime<T>(asked: Promise<T>, late: (cause: unknown) => Error): Promise<T> {
  if (!(await withTimeout(asked, ANSWER_MS))) throw late('no answer in time');
  return asked;
}
