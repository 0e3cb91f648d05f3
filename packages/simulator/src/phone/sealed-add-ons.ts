import { randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { type MessageContent, type SendOptions, toMessage } from '../messages/content.js';
import type { SentMessage } from '../messages/sent-message.js';
import type { Chat } from '../world/chat.js';
import type { Phone } from './phone.js';
import { type MessageWithSecret, type Naming, seal, type Use } from './sealing.js';

/** Values of `SecretEncryptedMessage.SecretEncType`; Baileys' schema has the first three. */
const SECRET_TYPES = { 'Event Edit': 1, 'Message Edit': 2, 'Poll Edit': 4, 'Poll Add Option': 5 } as const;
const { Type } = proto.Message.ProtocolMessage;

export interface SealedOptions extends SendOptions, Naming {
  /** A secret in place of the message's own. */
  readonly secret?: Uint8Array;
  /** A secret that the sent message itself contains. */
  readonly ownSecret?: Uint8Array;
  /** The `secretEncType` to claim. */
  readonly secretType?: number;
}

/** Sends a content with its own secret, as all current WhatsApp clients do. */
export function sendWithSecret(
  phone: Phone,
  chat: Chat,
  content: MessageContent,
  options?: SendOptions,
): Promise<SentMessage> {
  const messageContextInfo = { messageSecret: randomBytes(32) };
  return phone.send(chat, { ...toMessage(content, options), messageContextInfo }, options);
}

/** Edits a message as phones do since May 2026: encrypted with the message's secret. */
export function editSealed(
  phone: Phone,
  target: MessageWithSecret,
  content: MessageContent,
  options: SealedOptions & { readonly use?: 'Message Edit' | 'Event Edit' | 'Poll Edit' } = {},
): Promise<SentMessage> {
  const { use = 'Message Edit' } = options;
  return sendSealed(phone, target, use, options, (key) => ({
    protocolMessage: {
      key,
      type: Type.MESSAGE_EDIT,
      editedMessage: toMessage(content),
      timestampMs: Date.now(),
    },
  }));
}

/** Adds an option to a poll. */
export function addPollOption(
  phone: Phone,
  poll: MessageWithSecret,
  optionName: string,
  options: SealedOptions = {},
): Promise<SentMessage> {
  // `Message.pollAddOptionMessage { addOption { optionName } }`, which Baileys' schema lacks.
  const name = field(1, Buffer.from(optionName));
  return sendSealed(phone, poll, 'Poll Add Option', options, () => field(121, field(2, name)));
}

/** Reacts as in a community's announcement group. */
export function reactSealed(
  phone: Phone,
  target: MessageWithSecret,
  text: string,
  options: SealedOptions = {},
): Promise<SentMessage> {
  const plain = proto.Message.ReactionMessage.encode({ text, senderTimestampMs: Date.now() }).finish();
  const sealed = seal(phone, target, { use: 'Enc Reaction', plain, ...given(options) }, options);
  return phone.outbox.sendAbout(target, options, (targetMessageKey) => ({
    encReactionMessage: { targetMessageKey, ...sealed },
  }));
}

/** Comments on a message as in a community's announcement group. */
export function commentSealed(
  phone: Phone,
  target: MessageWithSecret,
  content: MessageContent,
  options: SealedOptions = {},
): Promise<SentMessage> {
  const plain = proto.Message.encode(proto.Message.fromObject(toMessage(content))).finish();
  const sealed = seal(phone, target, { use: 'Enc Comment', plain, ...given(options) }, options);
  return phone.outbox.sendAbout(target, options, (targetMessageKey) => ({
    encCommentMessage: { targetMessageKey, ...sealed },
  }));
}

function sendSealed(
  phone: Phone,
  target: MessageWithSecret,
  use: Use & keyof typeof SECRET_TYPES,
  options: SealedOptions,
  build: (key: proto.IMessageKey) => proto.IMessage | Buffer,
): Promise<SentMessage> {
  return phone.outbox.sendAbout(target, options, (targetMessageKey) => {
    const content = build(targetMessageKey);
    const plain = Buffer.isBuffer(content) ? content : proto.Message.encode(content).finish();
    const sealed = seal(phone, target, { use, plain, ...given(options) }, options);
    return {
      secretEncryptedMessage: {
        targetMessageKey,
        secretEncType: options.secretType ?? SECRET_TYPES[use],
        ...sealed,
      },
      ...(options.ownSecret && { messageContextInfo: { messageSecret: options.ownSecret } }),
    };
  });
}

function given({ secret }: SealedOptions): { secret?: Uint8Array } {
  return secret ? { secret } : {};
}

/** A field of protobuf that holds bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const tag = (number << 3) | 2;
  const head = tag < 128 ? [tag] : [(tag & 0x7f) | 0x80, tag >>> 7];
  return Buffer.concat([Buffer.from([...head, bytes.length]), bytes]);
}
