import type { People } from '../identity/people.js';
import { type PersonId, personId } from '../identity/person-id.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../mapping/normalise.js';

/** A place in a payload that names a person, and the fields beside it for what else is known of that person. */
interface Mention {
  readonly holder: JsonObject;
  readonly person: PersonId;
  /** The field for the other id. */
  readonly field: string;
  readonly usernameField: string | undefined;
  /** Whether a pair that is not in memory is worth reading from the store. */
  readonly isLookedUp: boolean;
}

interface Fields {
  /** The field for the other id, by the kind of the id that is given; undefined for none. */
  readonly lid: string;
  readonly number: string | undefined;
  readonly username?: string;
  readonly isLookedUp?: boolean;
}

const alt = (field: string): Fields => ({ lid: `${field}Alt`, number: `${field}Alt` });
const keyPart = (field: string): Fields => ({ ...alt(field), username: `${field}Username` });
/** Fields such as `authorPn` hold a number, so they are added beside a LID only. */
const byNumber = (field: string): Fields => ({
  lid: `${field}Pn`,
  number: undefined,
  username: `${field}Username`,
  isLookedUp: false,
});

const REMOTE_JID = keyPart('remoteJid');
const PARTICIPANT = keyPart('participant');
const RECEIPT_USER = alt('userJid');
const DELETED_CHAT = alt('jid');
const PRESENCE_CHAT = alt('id');
const CONTACT: Fields = { lid: 'phoneNumber', number: 'lid', username: 'username' };
const MEMBER: Fields = { ...CONTACT, isLookedUp: false };
const CHAT: Fields = { lid: 'pnJid', number: 'lidJid', username: 'username' };
const CALLER: Fields = { lid: 'callerPn', number: 'callerLid', username: 'callerUsername' };
const AUTHORS = ['author', 'owner', 'subjectOwner', 'descOwner'].map(
  (field) => [field, byNumber(field)] as const,
);
const JOINING: Fields = { lid: 'participantPn', number: undefined, isLookedUp: false };

function mention(mentions: Mention[], holder: JsonObject, field: string, fields: Fields): void {
  const jid = holder[field];
  const person = typeof jid === 'string' ? personId(jid) : undefined;
  const other = person && fields[person.kind];
  if (person === undefined || other === undefined) return;
  const { username: usernameField, isLookedUp = true } = fields;
  mentions.push({ holder, person, field: other, usernameField, isLookedUp });
}

/** Keys and receipts, wherever they stand in a message, its content included. */
function addOfMessages(mentions: Mention[], value: JsonValue | undefined): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) addOfMessages(mentions, item);
    return;
  }
  if (typeof value.remoteJid === 'string' && typeof value.id === 'string') {
    mention(mentions, value, 'remoteJid', REMOTE_JID);
    mention(mentions, value, 'participant', PARTICIPANT);
  }
  if (typeof value.userJid === 'string') mention(mentions, value, 'userJid', RECEIPT_USER);
  for (const field in value) addOfMessages(mentions, value[field]);
}

function objects(list: JsonValue | undefined): JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function addOfGroup(mentions: Mention[], group: JsonObject): void {
  for (const [field, fields] of AUTHORS) mention(mentions, group, field, fields);
  for (const member of objects(group.participants)) mention(mentions, member, 'id', MEMBER);
  for (const request of objects(group.joinRequests)) mention(mentions, request, 'participant', JOINING);
}

function addOf(mentions: Mention[], { event, payload }: MappedEvent): void {
  switch (event) {
    case 'messages.upsert':
    case 'messages.update':
    case 'messages.reaction':
      addOfMessages(mentions, payload);
      return;
    case 'messages.delete':
      addOfMessages(mentions, payload);
      mention(mentions, payload, 'jid', DELETED_CHAT);
      return;
    case 'chats.upsert':
    case 'chats.update':
      for (const chat of objects(payload.chats)) mention(mentions, chat, 'id', CHAT);
      return;
    case 'contacts.upsert':
    case 'contacts.update':
      for (const contact of objects(payload.contacts)) mention(mentions, contact, 'id', CONTACT);
      return;
    case 'groups.upsert':
    case 'groups.update':
      for (const group of objects(payload.groups)) addOfGroup(mentions, group);
      return;
    case 'group-participants.update':
      addOfGroup(mentions, payload);
      return;
    case 'presence.update':
      mention(mentions, payload, 'id', PRESENCE_CHAT);
      return;
    case 'call':
      for (const call of objects(payload.calls)) mention(mentions, call, 'from', CALLER);
  }
}

/** Payloads that wait to be completed with what is known of the people in them. */
export class Completion {
  readonly #people: People;
  readonly #mentions: readonly Mention[];

  constructor(events: readonly MappedEvent[], people: People) {
    this.#people = people;
    const mentions: Mention[] = [];
    for (const event of events) addOf(mentions, event);
    this.#mentions = mentions;
  }

  /** People whose other id is missing and may be in the store. Empty for most events. */
  get unknown(): PersonId[] {
    return this.#mentions
      .filter(({ isLookedUp, holder, field }) => isLookedUp && holder[field] === undefined)
      .map(({ person }) => person)
      .filter((person) => this.#people.needsLoading(person));
  }

  /** Adds the other ids and the usernames that are in memory. Keeps the values that WhatsApp itself sent. */
  complete(): void {
    for (const { holder, person, field, usernameField } of this.#mentions) {
      add(holder, field, this.#people.otherId(person));
      if (usernameField !== undefined) add(holder, usernameField, this.#people.username(person));
    }
  }
}

function add(holder: JsonObject, field: string, value: string | undefined): void {
  if (value !== undefined && holder[field] === undefined) holder[field] = value;
}
