import type { MissingPart } from '@wafleet/contract';
import { proto, type WAMessage, type WAMessageKey } from '@whiskeysockets/baileys';
import { toMessageKey } from './message-key.js';
import type { JsonObject } from './normalise.js';

/** What of a message is missing, and why. */
export interface Unavailable extends Pick<MissingPart, 'type' | 'reason'> {
  /** The message that it is about. */
  readonly target?: WAMessageKey;
}

/** A message with a part that is known to be missing. */
export type PartialMessage = WAMessage & { readonly unavailable?: Unavailable };

/** A message that carried an add-on. What it changes about another message is published already. */
export type OpenedMessage = WAMessage & { readonly isOpened?: true };

/** The texts with which Baileys reports why a message has no content (Utils/decode-wa-message.js). */
const NO_CONTENT = 'Message absent from node';
const UNKNOWN_ENCRYPTION = 'Unknown e2e type';

/** What of a message is missing, as the contract has it. Returns undefined if nothing is missing. */
export function toUnavailable(message: PartialMessage): JsonObject | undefined {
  const { type, reason, target } = message.unavailable ?? unavailableContent(message) ?? {};
  if (type === undefined || reason === undefined) return undefined;
  const key = toMessageKey(target);
  return { type, reason, ...(key === undefined ? {} : { target: key }) };
}

/** What is missing of a message that Baileys emits although it has no content. */
function unavailableContent({ key, message, messageStubType, ...rest }: WAMessage): Unavailable | undefined {
  if (messageStubType !== proto.WebMessageInfo.StubType.CIPHERTEXT) {
    return key.isViewOnce && !message ? { type: 'content', reason: 'view-once' } : undefined;
  }
  const [text = ''] = rest.messageStubParameters ?? [];
  if (text === NO_CONTENT) return { type: 'content', reason: 'asked-phone' };
  if (text.startsWith(UNKNOWN_ENCRYPTION)) return { type: 'content', reason: 'unsupported' };
  return { type: 'content', reason: 'not-decrypted' };
}
