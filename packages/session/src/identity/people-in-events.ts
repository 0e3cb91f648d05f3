import type { BaileysEventMap, WAMessageKey } from '@whiskeysockets/baileys';
import type { KnownPerson } from './people.js';

/** What events say of people: which ids are one person's, and usernames. */
export interface PeopleInEvents {
  /** Said in passing, such as in the key of a message. */
  readonly mentioned: readonly KnownPerson[];
  /** Said by an event that clients get as it is: a contact, a member of a group. */
  readonly described: readonly KnownPerson[];
}

function* inKey(key: WAMessageKey | null | undefined): Generator<KnownPerson> {
  if (key?.remoteJidUsername) {
    yield { id: key.remoteJid, lid: key.remoteJidAlt, username: key.remoteJidUsername };
  }
  if (key?.participantUsername) {
    yield { id: key.participant, lid: key.participantAlt, username: key.participantUsername };
  }
}

type GroupEvent = BaileysEventMap['groups.update'][number] | BaileysEventMap['group-participants.update'];

function* inGroup(group: GroupEvent): Generator<KnownPerson> {
  for (const participant of group.participants ?? []) yield participant;
  if (group.author) {
    yield { id: group.author, phoneNumber: group.authorPn, username: group.authorUsername };
  }
}

export function peopleIn(events: Partial<BaileysEventMap>): PeopleInEvents {
  const mentioned = (events['messages.upsert']?.messages ?? []).flatMap(({ key }) => [...inKey(key)]);
  const participants = events['group-participants.update'];
  const groups = [...(events['groups.upsert'] ?? []), ...(events['groups.update'] ?? [])];
  if (participants !== undefined) groups.push(participants);
  const described = [
    ...(events['contacts.upsert'] ?? []),
    ...(events['contacts.update'] ?? []),
    ...(events['messaging-history.set']?.contacts ?? []),
    ...groups.flatMap((group) => [...inGroup(group)]),
  ];
  return { mentioned, described };
}
