import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys';
import type { Account } from '../world/account.js';
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
  const key = deriveKey(messageSecret, `${id}${authorName}${senderName}${use}`);
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv);
  if (BOUND.has(use)) cipher.setAAD(Buffer.from(`${id}\u0000${senderName}`));
  return { encIv, encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}

const TAG_BYTES = 16;

/**
 * Opens what another person sealed about a message of `author`, whichever way both are named. Throws if it was sealed
 * for another message, purpose or sender.
 */
export function openSealed(
  { id, sender: author, message }: MessageWithSecret,
  sender: Account,
  use: Use,
  { encIv, encPayload }: { encIv: Uint8Array; encPayload: Uint8Array },
): Buffer {
  const messageSecret = message.messageContextInfo?.messageSecret;
  if (!messageSecret) throw new Error('the message has no secret');
  for (const authorName of [author.lid, author.jid]) {
    for (const senderName of [sender.lid, sender.jid]) {
      const key = deriveKey(messageSecret, `${id}${authorName}${senderName}${use}`);
      const decipher = createDecipheriv('aes-256-gcm', key, encIv);
      if (BOUND.has(use)) decipher.setAAD(Buffer.from(`${id}\u0000${senderName}`));
      decipher.setAuthTag(encPayload.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(encPayload.subarray(0, -TAG_BYTES)), decipher.final()]);
      } catch {
        // Sealed with other names.
      }
    }
  }
  throw new Error(`not sealed by ${sender.name} for this message`);
}

function deriveKey(secret: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), Buffer.from(info), 32));
}
