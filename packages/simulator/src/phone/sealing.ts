import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import type { Addressing, MessageReference } from '../world/chat.js';
import type { Phone } from './phone.js';

/** A message with a secret. Messages that refer to it are encrypted with that secret. */
export type MessageWithSecret = MessageReference & { readonly message: proto.IMessage };

/** The purpose of a message that refers to another one. It is part of the key. */
export type Use =
  | 'Poll Vote'
  | 'Event Response'
  | 'Enc Reaction'
  | 'Enc Comment'
  | 'Message Edit'
  | 'Event Edit'
  | 'Poll Edit'
  | 'Poll Add Option';

/** The purposes whose ciphertext is also bound to the message and the sender, as additional data. */
const BOUND: ReadonlySet<Use> = new Set(['Poll Vote', 'Event Response']);

/** How both people are named in the key. Default: by LID. */
export interface Naming {
  readonly author?: Addressing;
  readonly sender?: Addressing;
}

/**
 * Seals with AES-GCM. The key is derived from the message's secret, for its author and this sender alone. Throws if
 * the message has no secret.
 */
export function seal(
  phone: Phone,
  { id, sender: author, message }: MessageWithSecret,
  { use, plain, secret }: { use: Use; plain: Uint8Array; secret?: Uint8Array },
  { addressing, author: authorBy, sender: senderBy }: Naming & { readonly addressing?: Addressing },
): { encIv: Uint8Array; encPayload: Uint8Array } {
  const messageSecret = secret ?? message.messageContextInfo?.messageSecret;
  if (!messageSecret) throw new Error('the message has no secret');
  const authorName = (authorBy ?? addressing) === 'pn' ? author.jid : author.lid;
  const senderName = (senderBy ?? addressing) === 'pn' ? phone.jid : phone.lid;
  const info = Buffer.from(`${id}${authorName}${senderName}${use}`);
  const key = Buffer.from(hkdfSync('sha256', messageSecret, Buffer.alloc(32), info, 32));
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv);
  if (BOUND.has(use)) cipher.setAAD(Buffer.from(`${id}\u0000${senderName}`));
  return { encIv, encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}
