import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { additionalDataOf, addOnKey } from './decryption.js';

/** The names of the people as the key is derived: ids without a device, both by number or both by LID. */
interface Voting {
  readonly pollId: string;
  readonly secret: Uint8Array;
  readonly author: string;
  readonly voter: string;
}

const IV_BYTES = 12;

/** Encrypts a vote for all who have the poll. @param options names of options; none to take the vote back. */
export function sealVote(
  options: readonly string[],
  { pollId, secret, author, voter }: Voting,
): { encPayload: Uint8Array; encIv: Uint8Array } {
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  const encIv = randomBytes(IV_BYTES);
  const people = { targetId: pollId, author, sender: voter };
  const cipher = createCipheriv('aes-256-gcm', addOnKey('vote', secret, people), encIv);
  cipher.setAAD(additionalDataOf(people));
  return { encIv, encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]) };
}
