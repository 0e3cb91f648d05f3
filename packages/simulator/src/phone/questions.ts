import { createHash, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { SendOptions } from '../messages/content.js';
import type { ReceivedMessage } from '../messages/received-message.js';
import type { SentMessage } from '../messages/sent-message.js';
import { unixSeconds } from '../unix-seconds.js';
import type { Chat } from '../world/chat.js';
import type { Phone } from './phone.js';
import { type MessageWithSecret, openSealed, seal } from './sealing.js';

/** Sends a poll. A person can choose one option. */
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

/** Votes for options of a poll. No options: withdraws the vote. Rejects if the message has no secret. */
export async function vote(
  phone: Phone,
  poll: MessageWithSecret,
  options: readonly string[],
  sendOptions: SendOptions = {},
): Promise<SentMessage> {
  const selectedOptions = options.map((option) => createHash('sha256').update(option).digest());
  const choice = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  const sealed = seal(phone, poll, { use: 'Poll Vote', plain: choice }, sendOptions);
  return phone.outbox.sendAbout(poll, sendOptions, (pollCreationMessageKey) => ({
    pollUpdateMessage: { pollCreationMessageKey, vote: sealed, senderTimestampMs: Date.now() },
  }));
}

/**
 * The options that a received vote chooses, by their names. Throws if the vote was not made for this poll, or chooses
 * an option that the poll lacks.
 */
export function openVote(poll: MessageWithSecret, { sender, message }: ReceivedMessage): string[] {
  const { encIv, encPayload } = message.pollUpdateMessage?.vote ?? {};
  if (!encIv || !encPayload) throw new Error('the message is not a vote');
  const plain = openSealed(poll, sender, 'Poll Vote', { encIv, encPayload });
  const { pollCreationMessage, pollCreationMessageV3 } = poll.message;
  const names = (pollCreationMessage ?? pollCreationMessageV3)?.options?.map((option) => option.optionName);
  const byHash = new Map(names?.map((name) => [hashOf(name ?? ''), name]));
  return proto.Message.PollVoteMessage.decode(plain).selectedOptions.map((hash) => {
    const name = byHash.get(Buffer.from(hash).toString('hex'));
    if (!name) throw new Error('the poll does not have this option');
    return name;
  });
}

function hashOf(option: string): string {
  return createHash('sha256').update(option).digest('hex');
}

/** Sends an invitation to an event. */
export function sendInvitation(
  phone: Phone,
  chat: Chat,
  name: string,
  sendOptions?: SendOptions,
): Promise<SentMessage> {
  const eventMessage = { name, startTime: unixSeconds() + 3_600 };
  return phone.send(
    chat,
    { eventMessage, messageContextInfo: { messageSecret: randomBytes(32) } },
    sendOptions,
  );
}

/** Accepts or declines an invitation. Rejects if the message has no secret. */
export async function answerInvitation(
  phone: Phone,
  invitation: MessageWithSecret,
  isGoing: boolean,
  sendOptions: SendOptions = {},
): Promise<SentMessage> {
  const { GOING, NOT_GOING } = proto.Message.EventResponseMessage.EventResponseType;
  const answer = proto.Message.EventResponseMessage.encode({
    response: isGoing ? GOING : NOT_GOING,
    timestampMs: Date.now(),
  }).finish();
  const sealed = seal(phone, invitation, { use: 'Event Response', plain: answer }, sendOptions);
  return phone.outbox.sendAbout(invitation, sendOptions, (eventCreationMessageKey) => ({
    encEventResponseMessage: { eventCreationMessageKey, ...sealed },
  }));
}
