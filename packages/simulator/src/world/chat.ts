import type { Account } from '../world/account.js';

/** A group as the message routing sees it. */
export interface GroupChat {
  /** `…@g.us` */
  readonly jid: string;
  readonly subject: string;
  members(): Iterable<Account>;
  /** The code with which a message of this person is refused. Undefined if the person may write. */
  refusal(sender: Account): number | undefined;
}

/** The chat for status updates. It has no members; the sender chooses the audience of each update. */
export const statusBroadcast = { jid: 'status@broadcast' } as const;

/** The destination of a message. */
export type Chat = Account | GroupChat | typeof statusBroadcast;

/** Whether a chat is with one person. */
export function isPerson(chat: Chat): chat is Account {
  return 'lidUser' in chat;
}

/** The code with which a message of this person to this chat is refused, if any. */
export function refusalOf(chat: Chat | undefined, sender: Account): number | undefined {
  return chat && 'members' in chat ? chat.refusal(sender) : undefined;
}

/** How people are named in a stanza: by the hidden id (`@lid`) or by the phone number (`@s.whatsapp.net`). */
export type Addressing = 'lid' | 'pn';

/** What identifies a message, on any device. */
export interface MessageReference {
  readonly id: string;
  /** Who wrote it. */
  readonly sender: Account;
  /** Where it was sent. */
  readonly chat: Chat;
}

/** The chat of a message as `viewer` sees it: in a 1:1 chat the other person. */
export function chatOf({ sender, chat }: MessageReference, viewer: Account): Chat {
  return isPerson(chat) && sender !== viewer ? sender : chat;
}
