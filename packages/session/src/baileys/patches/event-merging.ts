import type {
  BaileysEvent,
  BaileysEventMap,
  BufferedEventData,
  Chat,
  WAMessageKey,
  WASocket,
} from '@whiskeysockets/baileys';
import { saysNothing } from './app-state-removals.js';

/**
 * The subjects of an event: ids of messages, chats, contacts and groups. `alone`: the event must not wait in the
 * buffer.
 */
type Subjects = readonly string[] | 'alone';

function message({ remoteJid, id, fromMe }: WAMessageKey): string {
  return `message ${remoteJid} ${id} ${fromMe ? 'mine' : ''}`;
}

const chat = ({ id }: { id?: string | null }) => `chat ${id}`;
const contact = ({ id }: { id?: string }) => `contact ${id}`;

const SUBJECTS: { readonly [E in BaileysEvent]?: (data: BaileysEventMap[E]) => Subjects } = {
  // In the buffer it loses `lidPnMappings`, and the entries that an earlier part of the history had under the same id.
  'messaging-history.set': () => 'alone',
  'chats.upsert': (chats) => chats.map(chat),
  'chats.update': (chats) => chats.map(chat),
  'chats.delete': (ids) => ids.map((id) => chat({ id })),
  'contacts.upsert': (contacts) => contacts.map(contact),
  'contacts.update': (contacts) => contacts.map(contact),
  // In the buffer it loses `requestId`.
  'messages.upsert': ({ messages, requestId }) =>
    requestId === undefined ? messages.map(({ key }) => message(key)) : 'alone',
  'messages.update': (updates) => updates.map(({ key }) => message(key)),
  // The buffer cannot hold the deletion of all messages of a chat.
  'messages.delete': (deleted) => ('keys' in deleted ? deleted.keys.map(message) : 'alone'),
  'messages.reaction': (reactions) => reactions.map(({ key }) => message(key)),
  'message-receipt.update': (receipts) => receipts.map(({ key }) => message(key)),
  'groups.update': (groups) => groups.map(({ id }) => `group ${id}`),
};

/** Events that describe a current state, or add to a list: two of them merge into one without loss. */
const MERGEABLE: ReadonlySet<BaileysEvent> = new Set([
  'chats.update',
  'contacts.update',
  'message-receipt.update',
]);

/** The number of chats of the history that are remembered; changes of further chats are handed out unconditionally. */
const REMEMBERED_CHATS = 5_000;

/** Returns the part of an event to hand out; undefined for nothing. */
type Preparations = {
  readonly [E in BaileysEvent]?: (data: BaileysEventMap[E]) => BaileysEventMap[E] | undefined;
};

/**
 * Decides on changes of chats that come with a condition, such as those of the first synchronisation. The buffer would
 * keep such a change until its chat is in the buffer too, or forever if the chat was handed out before. Instead the
 * change is handed out at once, unless the chat, as the history knows it, has newer messages than the change.
 */
function decideOnConditions(): Preparations {
  const chats: Record<string, Chat> = {};
  let count = 0;
  const known: BufferedEventData = {
    historySets: { chats, contacts: {}, messages: {}, empty: false, isLatest: false },
    chatUpserts: {},
    chatUpdates: {},
    chatDeletes: new Set(),
    contactUpserts: {},
    contactUpdates: {},
    messageUpserts: {},
    messageUpdates: {},
    messageDeletes: {},
    messageReactions: {},
    messageReceipts: {},
    groupUpdates: {},
  };
  return {
    'messaging-history.set': (part) => {
      for (const { id, lastMessageRecvTimestamp } of part.chats) {
        if (!id || lastMessageRecvTimestamp === undefined || count >= REMEMBERED_CHATS) continue;
        count += 1;
        chats[id] = { id, lastMessageRecvTimestamp };
      }
      return part;
    },
    'chats.update': (updates) => {
      const decided = updates
        .filter((update) => !saysNothing(update) && update.conditional?.(known) !== false)
        .map(({ conditional: _, ...update }) => update);
      return decided.length === 0 ? undefined : decided;
    },
  };
}

/**
 * Prevents Baileys' event buffer (Utils/event-buffer.js) from merging away what clients should see.
 *
 * The buffer collects events for some time and merges those with the same subject. If the second event is not complete,
 * something is lost: of two updates of a group, the first; of a message and its revoke, edit, status or reaction, one
 * of the two; and the deletion of all messages of a chat. So the buffer is emptied before it gets an event whose
 * subject already waits there: both are handed out, in their order. Events that complete each other are still merged.
 *
 * Removal condition: Baileys merges only events that lose nothing (docs/upstream.md, 31).
 */
export function keepEventsApart(ev: WASocket['ev']): void {
  const emit = ev.emit.bind(ev);
  const preparations = decideOnConditions();
  const waiting = new Map<string, BaileysEvent>();
  ev.process(() => {
    if (!ev.isBuffering()) waiting.clear();
  });

  const takesPart = (event: BaileysEvent, subject: string) => {
    const earlier = waiting.get(subject);
    return earlier === undefined || (earlier === event && MERGEABLE.has(event));
  };

  ev.emit = <E extends BaileysEvent>(event: E, data: BaileysEventMap[E]): boolean => {
    const prepare: ((data: BaileysEventMap[E]) => BaileysEventMap[E] | undefined) | undefined =
      preparations[event];
    const ready = prepare === undefined ? data : prepare(data);
    if (ready === undefined) return false;
    const subjectsOf: ((data: BaileysEventMap[E]) => Subjects) | undefined = SUBJECTS[event];
    if (subjectsOf === undefined || !ev.isBuffering()) return emit(event, ready);
    const subjects = subjectsOf(ready);
    const isAlone = subjects === 'alone' || new Set(subjects).size < subjects.length;
    if (isAlone || !subjects.every((subject) => takesPart(event, subject))) ev.flush();
    else for (const subject of subjects) waiting.set(subject, event);
    return emit(event, ready);
  };
}
