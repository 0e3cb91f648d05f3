import { hkdfSync } from 'node:crypto';

const SECRET_BYTES = 32;

/**
 * The secret of a message that the session sends. Others use it to encrypt what refers to the message: reactions,
 * comments, votes, and edits from the phone. It is the same each time that the message is sent under its id, by any
 * worker: a phone keeps the first copy only. It shows nothing of the key.
 * @param identityKey the session's private identity key.
 */
export function secretOfSent(messageId: string, identityKey: Uint8Array): Uint8Array {
  return new Uint8Array(
    hkdfSync('sha256', identityKey, '', `wafleet message secret ${messageId}`, SECRET_BYTES),
  );
}
