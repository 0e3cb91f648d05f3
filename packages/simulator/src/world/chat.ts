import type { Phone } from './phone.js';

/** A group as the message routing sees it. */
export interface GroupChat {
  /** `…@g.us` */
  readonly jid: string;
  readonly subject: string;
  members(): Iterable<Phone>;
  /** The code with which a message of this person is refused; undefined for one who may write. */
  refusal(sender: Phone): number | undefined;
}

/** Where status updates go: a chat with no members of its own; the sender names who sees it. */
export const statusBroadcast = { jid: 'status@broadcast' } as const;

/** Where a message can go. */
export type Chat = Phone | GroupChat | typeof statusBroadcast;

/** Whether a chat is with one person, not with many. */
export function isPerson(chat: Chat): chat is Phone {
  return 'lidUser' in chat;
}

/** The code with which a message of this person to this chat is refused, if it is. */
export function refusalOf(chat: Chat | undefined, sender: Phone): number | undefined {
  return chat && 'members' in chat ? chat.refusal(sender) : undefined;
}

/** How people are named in a stanza: by the hidden id (`@lid`) or by the phone number (`@s.whatsapp.net`). */
export type Addressing = 'lid' | 'pn';

/** What identifies a message, whoever holds it. */
export interface MessageReference {
  readonly id: string;
  /** Who wrote it. */
  readonly sender: Phone;
  /** Where it was sent. */
  readonly chat: Chat;
}
