import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { Chat, MessageReference } from '../world/chat.js';
import type { Phone } from '../world/phone.js';
import type { SendOptions } from './content.js';
import type { SentMessage } from './outbox.js';

/** A message that is answered in secret: a poll or an invitation. */
type Question = MessageReference & { readonly message: proto.IMessage };

/** Sends a poll, of which a person chooses one option. */
export function sendPoll(
  phone: Phone,
  chat: Chat,
  { name, options }: { name: string; options: readonly string[] },
  sendOptions?: SendOptions,
): Promise<SentMessage> {
  const poll = {
    name,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: 1,
  };
  return phone.send(
    chat,
    { pollCreationMessageV3: poll, messageContextInfo: { messageSecret: randomBytes(32) } },
    sendOptions,
  );
}

/** Votes for options of a poll; for none takes a vote back. Rejects when the message carries no secret. */
export async function vote(
  phone: Phone,
  poll: Question,
  options: readonly string[],
  sendOptions: SendOptions = {},
): Promise<SentMessage> {
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  const choice = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  const sealed = seal(phone, poll, { use: 'Poll Vote', answer: choice }, sendOptions);
  return phone.outbox.sendAbout(poll, sendOptions, (pollCreationMessageKey) => ({
    pollUpdateMessage: { pollCreationMessageKey, vote: sealed, senderTimestampMs: Date.now() },
  }));
}

/** Sends an invitation to an event. */
export function sendInvitation(
  phone: Phone,
  chat: Chat,
  name: string,
  sendOptions?: SendOptions,
): Promise<SentMessage> {
  const eventMessage = { name, startTime: phone.simulator.now() + 3_600 };
  return phone.send(
    chat,
    { eventMessage, messageContextInfo: { messageSecret: randomBytes(32) } },
    sendOptions,
  );
}

/** Accepts an invitation, or declines it. Rejects when the message carries no secret. */
export async function answerInvitation(
  phone: Phone,
  invitation: Question,
  isGoing: boolean,
  sendOptions: SendOptions = {},
): Promise<SentMessage> {
  const { GOING, NOT_GOING } = proto.Message.EventResponseMessage.EventResponseType;
  const answer = proto.Message.EventResponseMessage.encode({
    response: isGoing ? GOING : NOT_GOING,
    timestampMs: Date.now(),
  }).finish();
  const sealed = seal(phone, invitation, { use: 'Event Response', answer }, sendOptions);
  return phone.outbox.sendAbout(invitation, sendOptions, (eventCreationMessageKey) => ({
    encEventResponseMessage: { eventCreationMessageKey, ...sealed },
  }));
}

/** AES-GCM with a key that all who have the question's secret can make, for this asker and answerer alone. */
function seal(
  phone: Phone,
  { id, sender, message }: Question,
  { use, answer }: { use: 'Poll Vote' | 'Event Response'; answer: Uint8Array },
  { addressing }: SendOptions,
): { encIv: Uint8Array; encPayload: Uint8Array } {
  const secret = message.messageContextInfo?.messageSecret;
  if (!secret) throw new Error('the message is neither a poll nor an invitation');
  const [asker, answerer] = [sender, phone].map((person) => (addressing === 'pn' ? person.jid : person.lid));
  const info = Buffer.from(`${id}${asker}${answerer}${use}`);
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), info, 32));
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(Buffer.from(`${id}\u0000${answerer}`));
  return { encIv, encPayload: Buffer.concat([cipher.update(answer), cipher.final(), cipher.getAuthTag()]) };
}
