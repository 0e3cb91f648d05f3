import {
  type BaileysEventMap,
  type ChatUpdate,
  type Contact,
  getChatId,
  isRealMessage,
  jidNormalizedUser,
  shouldIncrementChatUnread,
  toNumber,
  type WAMessage,
  type WAMessageUpdate,
} from '@whiskeysockets/baileys';

/**
 * Returns the events without a message and without the events that Baileys derives from it (Utils/process-message.js):
 * a reaction, an edit, a deletion, an answer to an invitation, the label of a group's member, content that the phone
 * sent, the changes that a new message makes to its chat, and the name of its sender.
 *
 * The same events may contain other messages: messages that the session sends, and posts of channels, are emitted while
 * Baileys is processing a received message, and Baileys merges events that it holds back. The changes of other messages
 * are kept. If an event does not say which message caused it, it counts as caused by one of the others if that one is
 * in the same events and explains it; otherwise as caused by `id`.
 * @param id the message to leave out.
 */
export function withoutMessage(events: Partial<BaileysEventMap>, id: string): Partial<BaileysEventMap> {
  const {
    'messages.upsert': upsert,
    'messages.reaction': reactions,
    'messages.update': updates,
    'chats.update': chats,
    'contacts.update': contacts,
    'group.member-tag.update': _,
    ...others
  } = events;
  const isAnswer = upsert?.requestId !== undefined;
  const messages = isAnswer ? [] : (upsert?.messages.filter(({ key }) => key.id !== id) ?? []);
  const otherReactions = reactions?.filter(({ reaction }) => reaction.key?.id !== id) ?? [];
  const repeated = upsert?.messages.find(({ key }) => key.id === id);
  const otherUpdates = updates?.filter((update) => !isByMessage(update, id, messages)) ?? [];
  const otherChats = chats?.map((chat) => withoutRepeated(chat, { id, repeated, messages })) ?? [];
  const changedChats = otherChats.filter((chat) => Object.keys(chat).length > 1);
  const otherContacts = contacts?.map((contact) => withoutName(contact, messages)) ?? [];
  const changedContacts = otherContacts.filter((contact) => Object.keys(contact).length > 1);
  return {
    ...others,
    ...(upsert && messages.length > 0 ? { 'messages.upsert': { ...upsert, messages } } : {}),
    ...(otherReactions.length > 0 ? { 'messages.reaction': otherReactions } : {}),
    ...(otherUpdates.length > 0 ? { 'messages.update': otherUpdates } : {}),
    ...(changedChats.length > 0 ? { 'chats.update': changedChats } : {}),
    ...(changedContacts.length > 0 ? { 'contacts.update': changedContacts } : {}),
  };
}

/** Whether the message caused the change: an edit or a deletion has content, and other changes come from receipts. */
function isByMessage({ key, update }: WAMessageUpdate, id: string, others: readonly WAMessage[]): boolean {
  if (update.eventResponses) {
    return !update.eventResponses.some(({ eventResponseMessageKey: by }) => by?.id != null && by.id !== id);
  }
  if (update.message === undefined) return false;
  // A deletion names its message.
  if (update.key?.id != null) return update.key.id === id;
  return !others.some(({ message }) => message?.protocolMessage?.key?.id === key.id);
}

interface Messages {
  readonly id: string;
  /** The message of this id, if it is in the same events. */
  readonly repeated: WAMessage | undefined;
  /** The other messages in the same events. */
  readonly messages: readonly WAMessage[];
}

/**
 * Returns a chat's change without the effects of the repeated message. Clients add the unread count to their own. An
 * old message would unarchive a chat again, or restore an earlier setting for its disappearing messages.
 */
function withoutRepeated(chat: ChatUpdate, { id, repeated, messages }: Messages): ChatUpdate {
  const others = messages.filter(({ key }) => chatOf(key) === chat.id);
  // Of several messages Baileys keeps the last one.
  const last = others.filter(isRealMessage).at(-1);
  const isOfOther = chat.messages?.some(({ message }) => message?.key?.id !== id) === true;
  if (!isOfOther && last === undefined) {
    return others.length > 0 ? withoutNewMessage(chat) : withoutSettings(withoutNewMessage(chat));
  }
  const { unreadCount, ...change } = chat;
  const isFirst = !isOfOther && chat.messages !== undefined && last !== undefined;
  const ofLast = isFirst
    ? { messages: [{ message: last }], conversationTimestamp: toNumber(last.messageTimestamp) }
    : {};
  if (unreadCount == null) return { ...chat, ...ofLast };
  // Baileys adds up the counts of merged changes.
  const theirs = others.filter((other) => isRealMessage(other) && shouldIncrementChatUnread(other)).length;
  const isMerged = repeated !== undefined && chatOf(repeated.key) === chat.id && unreadCount > theirs;
  const left = isMerged ? unreadCount - 1 : unreadCount;
  return { ...change, ...ofLast, ...(isMerged && left === 0 ? {} : { unreadCount: left }) };
}

/** Returns the change without the effects of a message with content. */
function withoutNewMessage(chat: ChatUpdate): ChatUpdate {
  if (chat.messages === undefined) return chat;
  const { messages: _, conversationTimestamp: __, unreadCount: ___, ...others } = chat;
  return others;
}

/**
 * Returns the change without what Baileys derives from a message without naming it: an unarchived chat, and the setting
 * for disappearing messages.
 */
function withoutSettings(chat: ChatUpdate): ChatUpdate {
  const { ephemeralSettingTimestamp: _, ephemeralExpiration: __, ...change } = chat;
  if (change.archived !== false || change.readOnly !== false) return change;
  const { archived: ___, readOnly: ____, ...others } = change;
  return others;
}

function chatOf(key: WAMessage['key']): string | undefined {
  return key.remoteJid == null ? undefined : jidNormalizedUser(getChatId(key));
}

function withoutName(contact: Partial<Contact>, others: readonly WAMessage[]): Partial<Contact> {
  const isOfOther = others.some(
    ({ key, pushName }) =>
      pushName != null &&
      pushName === contact.notify &&
      jidNormalizedUser(key.participant || key.remoteJid || undefined) === contact.id,
  );
  if (isOfOther) return contact;
  const { notify: _, verifiedName: __, ...change } = contact;
  return change;
}
