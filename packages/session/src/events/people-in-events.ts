import type { BaileysEventMap, WAMessageKey } from '@whiskeysockets/baileys';
import type { KnownPerson } from '../identity/people.js';

/** What events contain about people: which ids belong to one person, and usernames. */
export interface PeopleInEvents {
  /** Mentioned in passing, such as in the key of a message. */
  readonly mentioned: readonly KnownPerson[];
  /** Described by an event that clients get unchanged: a contact, a member of a group. */
  readonly described: readonly KnownPerson[];
}

const NOTHING: PeopleInEvents = { mentioned: [], described: [] };

/** Events with information about people. Most flushes have none of them but `messages.upsert`, and no username. */
const SAYING = [
  'messages.upsert',
  'contacts.upsert',
  'contacts.update',
  'messaging-history.set',
  'groups.upsert',
  'groups.update',
  'group-participants.update',
] as const;

function addOfKey(people: KnownPerson[], key: WAMessageKey): void {
  if (key.remoteJidUsername) {
    people.push({ id: key.remoteJid, lid: key.remoteJidAlt, username: key.remoteJidUsername });
  }
  if (key.participantUsername) {
    people.push({ id: key.participant, lid: key.participantAlt, username: key.participantUsername });
  }
}

type GroupEvent = BaileysEventMap['groups.update'][number] | BaileysEventMap['group-participants.update'];

function addOfGroup(people: KnownPerson[], group: GroupEvent): void {
  people.push(...(group.participants ?? []));
  if (group.author) {
    people.push({ id: group.author, phoneNumber: group.authorPn, username: group.authorUsername });
  }
}

export function peopleIn(events: Partial<BaileysEventMap>): PeopleInEvents {
  if (!SAYING.some((event) => events[event] !== undefined)) return NOTHING;
  const mentioned: KnownPerson[] = [];
  for (const { key } of events['messages.upsert']?.messages ?? []) addOfKey(mentioned, key);
  const described: KnownPerson[] = [
    ...(events['contacts.upsert'] ?? []),
    ...(events['contacts.update'] ?? []),
    ...(events['messaging-history.set']?.contacts ?? []),
  ];
  for (const group of events['groups.upsert'] ?? []) addOfGroup(described, group);
  for (const group of events['groups.update'] ?? []) addOfGroup(described, group);
  const participants = events['group-participants.update'];
  if (participants !== undefined) addOfGroup(described, participants);
  return { mentioned, described };
}
