import { createDecipheriv, hkdfSync } from 'node:crypto';
import { type AddOnKind, type Envelope, LABELS } from './envelopes.js';

const TAG_BYTES = 16;
const IV_BYTES = 12;
const NO_SALT = Buffer.alloc(32);

/** Kinds whose ciphertext is bound to the message and the sender by additional data as well. */
const BOUND: ReadonlySet<AddOnKind> = new Set(['vote', 'event-response']);

interface Attempt {
  readonly envelope: Envelope & { readonly kind: AddOnKind };
  readonly targetId: string;
  readonly secret: Uint8Array;
  /** Names of the author of the message that the add-on is about: JIDs without a device. */
  readonly authors: Iterable<string>;
  /** Names of the sender of the add-on. */
  readonly senders: Iterable<string>;
}

/** Whether the nonce and the ciphertext have possible lengths. */
export function isWellFormed({ iv, payload }: Envelope): boolean {
  return iv.length === IV_BYTES && payload.length >= TAG_BYTES;
}

/** The key of an add-on of this kind, by this sender, about a message of this author. */
export function addOnKey(
  kind: AddOnKind,
  secret: Uint8Array,
  { targetId, author, sender }: { targetId: string; author: string; sender: string },
): Buffer {
  const info = Buffer.from(`${targetId}${author}${sender}${LABELS[kind]}`);
  return Buffer.from(hkdfSync('sha256', secret, NO_SALT, info, 32));
}

/** What binds the ciphertext of some kinds to the message and the sender. */
export function additionalDataOf({ targetId, sender }: { targetId: string; sender: string }): Buffer {
  return Buffer.from(`${targetId}\u0000${sender}`);
}

/**
 * Decrypts an add-on. The key is derived by HKDF-SHA256 of the message's secret, with the message's id, both people and
 * the kind as the info. The people are named by number or LID, as the sender knew them: all combinations are tried.
 * Returns undefined if none is right. Never throws for a well-formed envelope.
 */
export function decryptAddOn({ envelope, targetId, secret, authors, senders }: Attempt): Buffer | undefined {
  const senderNames = [...senders];
  for (const author of authors) {
    for (const sender of senderNames) {
      const key = addOnKey(envelope.kind, secret, { targetId, author, sender });
      const additional = BOUND.has(envelope.kind) ? additionalDataOf({ targetId, sender }) : undefined;
      const plain = openWith(key, envelope, additional);
      if (plain !== undefined) return plain;
    }
  }
  return undefined;
}

function openWith(
  key: Buffer,
  { iv, payload }: Envelope,
  additional: Buffer | undefined,
): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  if (additional !== undefined) decipher.setAAD(additional);
  decipher.setAuthTag(payload.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(payload.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
