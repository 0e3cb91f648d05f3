import type { EventName, SessionSettings } from '@wafleet/contract';
import { personId, toLid, toNumberId } from '../identity/person-id.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../mapping/normalise.js';

type Ignored = SessionSettings['ignore'];

/** The ids of the chat that an item is of. Only `ids` that are texts count. */
type ChatOf = (item: JsonObject) => readonly (JsonValue | undefined)[];

const ofKey: ChatOf = ({ remoteJid, remoteJidAlt }) => [remoteJid, remoteJidAlt];
const underKey: ChatOf = ({ key }) => (isJsonObject(key) ? ofKey(key) : []);
const ofChat: ChatOf = ({ id, pnJid, lidJid }) => [id, pnJid, lidJid];
const ofGroup: ChatOf = ({ id }) => [id];
/** A person is not a chat: groups, statuses and other chats show the same person. */
const ofContact: ChatOf = ({ id }) => (personId(String(id)) === undefined ? [id] : []);
/** Later events of a call do not say which group it is of. */
const ofCall: ChatOf = ({ isGroup, groupJid, chatId, from, callerPn, callerLid }) =>
  isGroup === true ? [groupJid ?? GROUP] : [chatId, from, callerPn, callerLid];

const GROUP = '@g.us';

/** The field of an event that lists items, and the chat of each. */
const LISTS: Partial<Record<EventName, { readonly field: string; readonly chatOf: ChatOf }>> = {
  'messages.upsert': { field: 'messages', chatOf: underKey },
  'messages.update': { field: 'updates', chatOf: underKey },
  'messages.reaction': { field: 'reactions', chatOf: underKey },
  'messages.delete': { field: 'keys', chatOf: ofKey },
  'chats.upsert': { field: 'chats', chatOf: ofChat },
  'chats.update': { field: 'chats', chatOf: ofChat },
  'groups.upsert': { field: 'groups', chatOf: ofGroup },
  'groups.update': { field: 'groups', chatOf: ofGroup },
  'contacts.upsert': { field: 'contacts', chatOf: ofContact },
  'contacts.update': { field: 'contacts', chatOf: ofContact },
  call: { field: 'calls', chatOf: ofCall },
};

/** Events that are of one chat as a whole. */
const WHOLE: Partial<Record<EventName, ChatOf>> = {
  'messages.delete': ({ jid, jidAlt }) => [jid, jidAlt],
  'group-participants.update': ofGroup,
  'presence.update': ({ id, idAlt }) => [id, idAlt],
};

/** Which kind of chat an id is of; undefined for a person. */
function kindOf(jid: string): 'groups' | 'statuses' | 'channels' | 'broadcasts' | undefined {
  if (jid.endsWith(GROUP)) return 'groups';
  if (jid === 'status@broadcast') return 'statuses';
  if (jid.endsWith('@newsletter')) return 'channels';
  return jid.endsWith('@broadcast') ? 'broadcasts' : undefined;
}

/** The same text for all ids of a person's devices. */
function plainId(jid: string): string {
  const person = personId(jid);
  if (person === undefined) return jid;
  return person.kind === 'lid' ? toLid(person.user) : toNumberId(person.user);
}

/**
 * Removes from events what is of chats that the session ignores. They are still received, decrypted and acknowledged, so
 * a chat that is no longer ignored goes on with its keys.
 */
export class ChatFilter {
  readonly #inForce: { readonly settings: SessionSettings };
  #prepared: { readonly ignored: Ignored; readonly chats: ReadonlySet<string> } | undefined;

  constructor(inForce: { readonly settings: SessionSettings }) {
    this.#inForce = inForce;
  }

  /** Returns the events without what is ignored, in order. Events that become empty are left out. */
  apply(events: readonly MappedEvent[]): readonly MappedEvent[] {
    return this.#isIdle ? events : events.flatMap((event) => this.#filter(event) ?? []);
  }

  get #isIdle(): boolean {
    const { groups, statuses, channels, broadcasts, chats } = this.#inForce.settings.ignore;
    return !groups && !statuses && !channels && !broadcasts && chats.length === 0;
  }

  #filter(event: MappedEvent): MappedEvent | undefined {
    const { payload } = event;
    const whole = WHOLE[event.event];
    if (whole !== undefined && this.#isIgnored(whole(payload))) return undefined;
    const list = LISTS[event.event];
    const items = list && payload[list.field];
    if (list === undefined || !Array.isArray(items)) return event;
    const kept = items.filter((item) => !isJsonObject(item) || !this.#isIgnored(list.chatOf(item)));
    if (kept.length === items.length) return event;
    return kept.length === 0 ? undefined : { ...event, payload: { ...payload, [list.field]: kept } };
  }

  #isIgnored(ids: readonly (JsonValue | undefined)[]): boolean {
    const { ignore } = this.#inForce.settings;
    const chats = this.#chats(ignore);
    return ids.some((id) => {
      if (typeof id !== 'string') return false;
      const kind = kindOf(id);
      return (kind !== undefined && ignore[kind]) || chats.has(plainId(id));
    });
  }

  #chats(ignored: Ignored): ReadonlySet<string> {
    if (this.#prepared?.ignored !== ignored) {
      this.#prepared = { ignored, chats: new Set(ignored.chats.map(plainId)) };
    }
    return this.#prepared.chats;
  }
}
