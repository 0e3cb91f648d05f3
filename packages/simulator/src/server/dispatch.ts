import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, IqHandler, StanzaHandler } from './feature.js';

/** The tag of the first child, which tells what an iq asks for; empty without one. */
export function tagOfRequest({ content }: BinaryNode): string {
  return Array.isArray(content) ? (content[0]?.tag ?? '') : '';
}

/** The answer to an iq: the handler's answer, or an error with the reason. */
export async function answerIq<Context extends { simulator: DeviceContext['simulator'] }>(
  iq: BinaryNode,
  handler: IqHandler<Context> | undefined,
  context: Context,
): Promise<BinaryNode> {
  const attrs = { id: iq.attrs.id ?? '', from: iq.attrs.to ?? S_WHATSAPP_NET };
  try {
    const refusal = context.simulator.requestRefusal(tagOfRequest(iq));
    if (refusal !== undefined) throw new IqError(refusal, 'refused');
    if (!handler) throw new IqError(501, 'feature-not-implemented');
    return { tag: 'iq', attrs: { ...attrs, type: 'result' }, content: [...(await handler(iq, context))] };
  } catch (error) {
    const { code, message } = error instanceof IqError ? error : new IqError(500, 'internal-server-error');
    context.simulator.logger.warn({ err: error, iq: iq.attrs }, 'an iq is answered with an error');
    return {
      tag: 'iq',
      attrs: { ...attrs, type: 'error' },
      content: [{ tag: 'error', attrs: { code: String(code), text: message } }],
    };
  }
}

/** Passes a stanza that is not an iq to its handler. Stanzas without a handler are ignored. */
export async function handleStanza(
  stanza: BinaryNode,
  handler: StanzaHandler | undefined,
  context: DeviceContext,
): Promise<void> {
  if (handler) await handler(stanza, context);
  else context.simulator.logger.debug({ tag: stanza.tag, attrs: stanza.attrs }, 'stanza without a handler');
}
