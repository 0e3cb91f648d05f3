import { type CommandFields, WafleetError } from '@wafleet/contract';
import { isJidNewsletter, type proto, type WAMessageKey } from '@whiskeysockets/baileys';
import { sealVote } from '../add-ons/vote.js';
import type { CommandContext } from './command-context.js';

/**
 * Votes in a poll that the session received or sent.
 * @throws {WafleetError} MESSAGE_NOT_FOUND; MESSAGE_UNSUITABLE if it is not a poll, or has not these options, as far as
 * its content is known; as `MessageSender.send` does.
 */
export async function voteInPoll(
  { socket, messages, known, targets }: CommandContext,
  { target, options, messageId }: CommandFields<'vote-in-poll'>,
): Promise<{ messageId: string }> {
  messages.requireReading();
  const poll = await known.findSecret(target);
  const { remoteJid } = poll?.key ?? {};
  if (poll === undefined || !remoteJid) {
    throw new WafleetError('MESSAGE_NOT_FOUND', 'The session does not know this poll.');
  }
  if (isJidNewsletter(remoteJid)) throw unsuitable('channel', 'Votes in polls of channels are not offered.');
  const found = await known.findContent(target);
  if (found !== undefined) requireOptions(found.content, options);
  const key: WAMessageKey = { ...poll.key, id: target };
  const author = targets.authorOf(socket, key);
  const voter = targets.authorOf(socket, {
    ...{ fromMe: true, remoteJid: author },
  });
  const vote = sealVote(options, { pollId: target, secret: poll.secret, author, voter });
  const { fromMe = false, participant } = poll.key;
  const content = {
    pollUpdateMessage: {
      pollCreationMessageKey: { remoteJid, fromMe, id: target, ...(participant ? { participant } : {}) },
      vote,
      senderTimestampMs: Date.now(),
    },
  };
  await messages.send(socket, { jid: remoteJid, content, messageId });
  return { messageId };
}

function requireOptions(content: proto.IMessage, chosen: readonly string[]): void {
  const { pollCreationMessage, pollCreationMessageV2, pollCreationMessageV3 } = content;
  const poll = pollCreationMessage ?? pollCreationMessageV2 ?? pollCreationMessageV3;
  if (poll == null) throw unsuitable('not-a-poll', 'The message is not a poll.');
  const names = new Set(poll.options?.map(({ optionName }) => optionName));
  const unknown = chosen.filter((option) => !names.has(option));
  if (unknown.length > 0) throw unsuitable('no-such-option', 'The poll does not have this option.');
}

function unsuitable(problem: string, message: string): WafleetError {
  return new WafleetError('MESSAGE_UNSUITABLE', message, { problem });
}
