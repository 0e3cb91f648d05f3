import type { BaileysEventMap, ChatUpdate, Contact, WAMessageUpdate } from '@whiskeysockets/baileys';

/**
 * Events without a message and without what Baileys derives from it (Utils/process-message.js): a reaction, an edit, a
 * deletion, an answer to an invitation, the label of a group's member, content that the phone sent, what a new message
 * changes of its chat, and the name of its sender.
 * @param id the message that is left out. Baileys must be at work on it alone.
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
  const otherUpdates = updates?.filter((update) => !isByMessage(update)) ?? [];
  const otherChats = chats?.map(withoutNewMessage).filter((chat) => Object.keys(chat).length > 1) ?? [];
  const otherContacts = contacts?.map(withoutName).filter((contact) => Object.keys(contact).length > 1) ?? [];
  return {
    ...others,
    ...(upsert && messages.length > 0 ? { 'messages.upsert': { ...upsert, messages } } : {}),
    ...(otherReactions.length > 0 ? { 'messages.reaction': otherReactions } : {}),
    ...(otherUpdates.length > 0 ? { 'messages.update': otherUpdates } : {}),
    ...(otherChats.length > 0 ? { 'chats.update': otherChats } : {}),
    ...(otherContacts.length > 0 ? { 'contacts.update': otherContacts } : {}),
  };
}

/** Whether a message brought the change: an edit or a deletion has content, and other changes are of receipts. */
function isByMessage({ update }: WAMessageUpdate): boolean {
  return update.message !== undefined || update.eventResponses !== undefined;
}

/**
 * A chat's change without what a message brings. The unread count is added to that of clients, and an old message
 * would take a chat out of the archive again, or bring back an earlier time after which its messages vanish.
 */
function withoutNewMessage(chat: ChatUpdate): ChatUpdate {
  const { ephemeralSettingTimestamp: _, ephemeralExpiration: __, ...change } = chat;
  if (change.archived === false && change.readOnly === false) {
    delete change.archived;
    delete change.readOnly;
  }
  if (change.messages === undefined) return change;
  const { messages: ___, conversationTimestamp: ____, unreadCount: _____, ...others } = change;
  return others;
}

function withoutName({ notify: _, verifiedName: __, ...others }: Partial<Contact>): Partial<Contact> {
  return others;
}
