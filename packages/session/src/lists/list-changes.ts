import type { ChatEntry, ContactEntry } from '@wafleet/store';
import { personId, toLid, toNumberId } from '../identity/person-id.js';
import type { JsonValue } from '../mapping/normalise.js';

/** The ids of a chat or person of a list. */
export interface ListedIds {
  /** The LID; undefined if it is not known, or of a group. */
  readonly lid?: string | undefined;
  /** The id by number, likewise. */
  readonly numberId?: string | undefined;
  /** The id of a group; undefined of a person. */
  readonly group?: string | undefined;
}

/** A message as a list knows it: id, time in seconds since 1970, and whether the account sent it. */
export type ListedMessage = NonNullable<ChatEntry['last']>;

/** What an event says of a chat. */
export interface ChatChange {
  readonly list: 'chats';
  readonly ids: ListedIds;
  /** What was true some time ago, as of a history: it does not replace what is known. */
  readonly isPast?: boolean;
  /** Whether the chat is listed from now on, if it is not yet. */
  readonly creates?: boolean;
  readonly set?: Partial<ChatEntry>;
  /** How many messages more are unread. */
  readonly moreUnread?: number;
  readonly labels?: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly last?: ListedMessage;
  /** Messages that the account has read. If the last one is among them, the chat is read. */
  readonly read?: readonly string[];
  /** Messages that are gone, or all of them. */
  readonly gone?: readonly string[] | 'all';
  readonly isDeleted?: boolean;
}

/** What an event says of a person. Null: no longer. */
export interface ContactChange {
  readonly list: 'contacts';
  readonly ids: ListedIds;
  readonly isPast?: boolean;
  readonly set: { readonly [Field in keyof ContactEntry]?: ContactEntry[Field] | null };
}

export type ListChange = ChatChange | ContactChange;

/** The chat or person of an id, and of another one of the same person. Undefined for what is not listed. */
export function listedIds(
  id: JsonValue | undefined,
  ...others: (JsonValue | undefined)[]
): ListedIds | undefined {
  if (typeof id !== 'string') return undefined;
  if (id.endsWith('@g.us')) return { group: id };
  const person = personId(id);
  if (person === undefined) return undefined;
  const found = [person, ...others.map((other) => (typeof other === 'string' ? personId(other) : undefined))];
  const lid = found.find((each) => each?.kind === 'lid')?.user;
  const number = found.find((each) => each?.kind === 'number')?.user;
  return {
    lid: lid === undefined ? undefined : toLid(lid),
    numberId: number === undefined ? undefined : toNumberId(number),
  };
}
