import { type messageChangeCommands, WafleetError } from '@wafleet/contract';
import { isJidGroup, isJidNewsletter, isJidStatusBroadcast, proto } from '@whiskeysockets/baileys';
import { textContent } from '../content/text.js';
import type { TargetKey } from '../known-messages/message-targets.js';
import { deleteInChannel, editInChannel } from './channel-requests/send-to-channel.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { markAsRead } from './mark-as-read.js';
import { deleteForMe, setStar } from './message-marks.js';
import { voteInPoll } from './vote-in-poll.js';

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;
const { PIN_FOR_ALL, UNPIN_FOR_ALL } = proto.Message.PinInChatMessage.Type;

const DAY_S = 86_400;

/** Sends what changes another message to the chat of that message. */
async function sendChange(
  { socket, messages }: CommandContext,
  { key, content, messageId }: { key: TargetKey; content: proto.IMessage; messageId: string },
): Promise<{ messageId: string }> {
  if (isJidNewsletter(key.remoteJid)) throw unsuitable('channel', 'Messages of channels do not allow this.');
  if (isJidStatusBroadcast(key.remoteJid)) throw unsuitable('status', 'Statuses do not allow this.');
  await messages.send(socket, { jid: key.remoteJid, content, messageId });
  return { messageId };
}

function unsuitable(problem: string, message: string): WafleetError {
  return new WafleetError('MESSAGE_UNSUITABLE', message, { problem });
}

async function edit(
  session: CommandContext,
  { target, chat, messageId, ...text }: Parameters<(typeof messageChangeHandlers)['edit-message']>[1],
): Promise<{ messageId: string }> {
  const { socket, messages, targets, known } = session;
  messages.requireReading();
  const key = await targets.find(socket, { target, chat, sender: 'me' });
  if (key.fromMe !== true) throw unsuitable('not-own', 'Only messages of the account can be edited.');
  const before = await known.findContent(target);
  if (before !== undefined && !before.content.extendedTextMessage && !before.content.conversation) {
    throw unsuitable('not-text', 'Only texts can be edited.');
  }
  if (isJidNewsletter(key.remoteJid)) return editInChannel(session, { key, messageId }, textContent(text));
  const protocolMessage = {
    ...{ key, type: MESSAGE_EDIT, timestampMs: Date.now() },
    editedMessage: textContent(text),
  };
  return sendChange(session, { key, content: { protocolMessage }, messageId });
}

async function pin(
  session: CommandContext,
  named: { target: string; chat?: string | undefined; sender?: string | undefined; messageId: string },
  days: number | undefined,
): Promise<{ messageId: string }> {
  const { socket, messages, targets } = session;
  messages.requireReading();
  const key = await targets.find(socket, named);
  const content = {
    pinInChatMessage: {
      key,
      type: days === undefined ? UNPIN_FOR_ALL : PIN_FOR_ALL,
      senderTimestampMs: Date.now(),
    },
    messageContextInfo: { messageAddOnDurationInSecs: (days ?? 0) * DAY_S },
  };
  return sendChange(session, { key, content, messageId: named.messageId });
}

export const messageChangeHandlers: HandlersOf<typeof messageChangeCommands> = {
  'edit-message': edit,
  'delete-message': async (session, { messageId, ...named }) => {
    const { socket, messages, targets } = session;
    messages.requireReading();
    const key = await targets.find(socket, named);
    if (isJidNewsletter(key.remoteJid)) return deleteInChannel(session, { key, messageId });
    if (key.fromMe !== true && !isJidGroup(key.remoteJid)) {
      throw unsuitable('not-own', 'Only messages of the account can be deleted for everyone in this chat.');
    }
    return sendChange(session, { key, content: { protocolMessage: { key, type: REVOKE } }, messageId });
  },
  'delete-message-for-me': async ({ socket, targets, known }, named) => {
    const key = await targets.find(socket, named);
    const kept = await known.findKept(named.target);
    await deleteForMe(socket, key, kept?.sentAt);
    return {};
  },
  'star-message': async ({ socket, targets }, named) => {
    await setStar(socket, await targets.find(socket, named), true);
    return {};
  },
  'unstar-message': async ({ socket, targets }, named) => {
    await setStar(socket, await targets.find(socket, named), false);
    return {};
  },
  'pin-message': (session, { days, ...named }) => pin(session, named, days),
  'unpin-message': (session, named) => pin(session, named, undefined),
  'vote-in-poll': voteInPoll,
  'mark-as-read': async ({ socket, targets, readMessages }, { chat, messages }) => {
    const keys = await Promise.all(
      messages.map(({ messageId, sender }) => targets.find(socket, { target: messageId, chat, sender })),
    );
    await markAsRead(socket, keys);
    readMessages.note(keys);
    return {};
  },
};
