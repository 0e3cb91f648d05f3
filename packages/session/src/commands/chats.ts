import type { chatCommands, labelCommands } from '@wafleet/contract';
import { isJidGroup, proto, type WASocket } from '@whiskeysockets/baileys';
import { modify } from './account-settings.js';
import type { CommandContext, HandlersOf } from './command-context.js';
import { change } from './whatsapp-requests.js';

type Modification = Parameters<WASocket['chatModify']>[0];

/** Without end, as WhatsApp writes it. */
const ALWAYS = -1;

/**
 * What a change of a chat covers: all messages until now. WhatsApp wants the keys of the last messages beside the time
 * only from devices that have an order of their own. The phone takes the time alone, as other clients send it.
 */
function untilNow(): { lastMessages: { lastMessageTimestamp: number } } {
  return { lastMessages: { lastMessageTimestamp: Math.floor(Date.now() / 1_000) } };
}

async function changeChat(
  { socket, contacts }: CommandContext,
  chat: string,
  ...modifications: readonly Modification[]
): Promise<Record<string, never>> {
  const id = await contacts.findChat(socket, chat);
  for (const modification of modifications) await modify(socket, modification, id);
  return {};
}

export const chatHandlers: HandlersOf<typeof chatCommands> = {
  'archive-chat': (session, { chat }) =>
    changeChat(session, chat, { pin: false }, { archive: true, ...untilNow() }),
  'unarchive-chat': (session, { chat }) => changeChat(session, chat, { archive: false, ...untilNow() }),
  'pin-chat': (session, { chat }) => changeChat(session, chat, { pin: true }),
  'unpin-chat': (session, { chat }) => changeChat(session, chat, { pin: false }),
  'mute-chat': (session, { chat, seconds }) =>
    changeChat(session, chat, { mute: seconds === undefined ? ALWAYS : Date.now() + seconds * 1_000 }),
  'unmute-chat': (session, { chat }) => changeChat(session, chat, { mute: null }),
  'mark-chat-unread': (session, { chat }) => changeChat(session, chat, { markRead: false, ...untilNow() }),
  'mark-chat-read': (session, { chat }) => changeChat(session, chat, { markRead: true, ...untilNow() }),
  'clear-chat': (session, { chat }) => changeChat(session, chat, { clear: true, ...untilNow() }),
  'delete-chat': (session, { chat }) => changeChat(session, chat, { delete: true, ...untilNow() }),
  'set-disappearing': async ({ socket, recipients, messages }, { chat, seconds, messageId }) => {
    if (isJidGroup(chat)) {
      await change(socket.groupToggleEphemeral(chat, seconds));
      return {};
    }
    messages.requireReading();
    const jid = await recipients.find(socket, chat);
    const { EPHEMERAL_SETTING } = proto.Message.ProtocolMessage.Type;
    const protocolMessage = { type: EPHEMERAL_SETTING, ephemeralExpiration: seconds };
    await messages.send(socket, {
      jid,
      content: { ephemeralMessage: { message: { protocolMessage } } },
      messageId,
    });
    return { messageId };
  },
};

/** Labels are kept for the number of a person, not for the LID. */
async function labelOn({ socket, contacts }: CommandContext, chat: string): Promise<string> {
  if (isJidGroup(chat)) return chat;
  const { numberId, lid } = await contacts.find(socket, chat);
  return numberId ?? lid ?? chat;
}

export const labelHandlers: HandlersOf<typeof labelCommands> = {
  'save-label': async ({ socket }, { label, name, color }) => {
    await modify(socket, { addLabel: { id: label, name, color, deleted: false } }, '');
    return {};
  },
  'delete-label': async ({ socket }, { label }) => {
    await modify(socket, { addLabel: { id: label, deleted: true } }, '');
    return {};
  },
  'label-chat': async (session, { chat, label: labelId }) => {
    await modify(session.socket, { addChatLabel: { labelId } }, await labelOn(session, chat));
    return {};
  },
  'unlabel-chat': async (session, { chat, label: labelId }) => {
    await modify(session.socket, { removeChatLabel: { labelId } }, await labelOn(session, chat));
    return {};
  },
  'label-message': async (session, { chat, message: messageId, label: labelId }) => {
    await modify(session.socket, { addMessageLabel: { messageId, labelId } }, await labelOn(session, chat));
    return {};
  },
  'unlabel-message': async (session, { chat, message: messageId, label: labelId }) => {
    await modify(
      session.socket,
      { removeMessageLabel: { messageId, labelId } },
      await labelOn(session, chat),
    );
    return {};
  },
};
