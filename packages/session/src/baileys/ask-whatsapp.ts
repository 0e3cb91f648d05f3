import { WafleetError } from '@wafleet/contract';
import { type BinaryNode, S_WHATSAPP_NET, type WASocket } from '@whiskeysockets/baileys';

/** How long WhatsApp may take to answer, ms. */
const ANSWER_MS = 10_000;

/**
 * Asks WhatsApp for something about this device, and resolves to the answer.
 * @param options.answerMs how long WhatsApp may take. Default: 10 s.
 * @throws {WafleetError} WHATSAPP_REFUSED, with WhatsApp's code in `details`.
 * @throws {Error} if the connection ends, or no answer comes in time.
 */
export async function askWhatsApp(
  socket: WASocket,
  content: BinaryNode,
  { type = 'set', answerMs = ANSWER_MS }: { readonly type?: 'get' | 'set'; readonly answerMs?: number } = {},
): Promise<BinaryNode> {
  const iq = { tag: 'iq', attrs: { to: S_WHATSAPP_NET, type, xmlns: 'md' }, content: [content] };
  let answer: BinaryNode | undefined;
  try {
    answer = await socket.query(iq, answerMs);
  } catch (error) {
    const code = refusalOf(error);
    if (code === undefined) throw error;
    throw new WafleetError('WHATSAPP_REFUSED', `WhatsApp refused the request (${code}).`, { code });
  }
  if (answer === undefined) throw new Error(`WhatsApp did not answer within ${answerMs} ms`);
  return answer;
}

/** The code of `<iq type="error">`; Baileys passes it on as the error's data. */
function refusalOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('data' in error)) return undefined;
  const { data } = error;
  return typeof data === 'number' && Number.isInteger(data) && data > 0 ? data : undefined;
}
