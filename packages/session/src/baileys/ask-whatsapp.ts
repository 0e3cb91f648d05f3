import { WafleetError } from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import { type BinaryNode, S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';

/** How long WhatsApp may take to answer, ms. */
const ANSWER_MS = 10_000;
/** Baileys gives up this much later, since its error for that looks like the end of a connection. */
const LATER_MS = 1_000;

/** WhatsApp has not answered a request in time. It may have carried it out. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

interface AskOptions {
  readonly type?: 'get' | 'set';
  /** What the request is about: `md` for the device. */
  readonly xmlns?: string;
  readonly answerMs?: number;
}

/**
 * Asks WhatsApp for something about this device, and resolves to the answer.
 * @param options.answerMs how long WhatsApp may take. Default: 10 s.
 * @throws {WafleetError} WHATSAPP_REFUSED, with WhatsApp's code in `details` where it is known.
 * @throws {NoAnswerError} if no answer comes in time.
 * @throws {Error} if the connection ends.
 */
export async function askWhatsApp(
  socket: WASocket,
  content: BinaryNode,
  { type = 'set', xmlns = 'md', answerMs = ANSWER_MS }: AskOptions = {},
): Promise<BinaryNode> {
  const iq = { tag: 'iq', attrs: { to: S_WHATSAPP_NET, type, xmlns }, content: [content] };
  let answer: BinaryNode | undefined;
  try {
    const asked = socket.query(iq, answerMs + LATER_MS).then((node: BinaryNode | undefined) => {
      answer = node;
    });
    await withTimeout(asked, answerMs);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const { code } = refusal;
    if (code === undefined) throw new WafleetError('WHATSAPP_REFUSED', 'WhatsApp refused the request.');
    throw new WafleetError('WHATSAPP_REFUSED', `WhatsApp refused the request (${code}).`, { code });
  }
  if (answer === undefined) throw new NoAnswerError(`WhatsApp did not answer within ${answerMs} ms`);
  return answer;
}

/** `<iq type="error">`. Baileys passes its code on as the error's data: NaN if there is none that can be read. */
function refusalOf(error: unknown): { readonly code: number | undefined } | undefined {
  if (!(error instanceof Error) || !('data' in error)) return undefined;
  const { data } = error;
  if (typeof data !== 'number') return undefined;
  return { code: Number.isInteger(data) && data > 0 ? data : undefined };
}
