import type { SessionSettings } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type {
  AuthStateStore,
  EventLog,
  Fence,
  MessageSecrets,
  ReceivedMedia,
  RecentMessages,
} from '@wafleet/store';
import { type BaileysEventMap, proto } from '@whiskeysockets/baileys';
import { AddOnDecryption } from '../add-ons/add-on-decryption.js';
import type { LearntPair } from '../baileys/patches/shared-lid-mappings.js';
import { otherNameOf } from '../identity/known-names.js';
import type { KnownPerson, People } from '../identity/people.js';
import { personId, toLid } from '../identity/person-id.js';
import type { ListKeeper } from '../lists/list-keeper.js';
import type { Me } from '../mapping/changes.js';
import { mapHistory } from '../mapping/history.js';
import { mapBaileysEvents } from '../mapping/index.js';
import type { MappedEvent, SessionCondition } from '../mapping/mapped-event.js';
import { roughLength } from '../outbox/event-size.js';
import type { Outbox } from '../outbox/outbox.js';
import type { AutoRead } from '../settings/auto-read.js';
import type { ChatFilter } from '../settings/chat-filter.js';
import { Completion } from './complete-ids.js';
import { ContactNews } from './contact-news.js';
import { peopleIn } from './people-in-events.js';

interface EventPublisherOptions {
  readonly fence: Fence;
  readonly recentMessages: RecentMessages;
  readonly messageSecrets: MessageSecrets;
  readonly receivedMedia: ReceivedMedia;
  readonly eventLog: Pick<EventLog, 'lastAppended'>;
  readonly outbox: Outbox;
  readonly account: { readonly current: { readonly me: Me } | undefined };
  readonly statusReporter: { readonly condition: SessionCondition };
  /** Where pairs of LID and number are stored. */
  readonly auth: Pick<AuthStateStore, 'readRecords'>;
  readonly people: People;
  /** What was set for the session. */
  readonly inForce: { readonly settings: SessionSettings };
  readonly filter: ChatFilter;
  readonly autoRead: AutoRead;
  readonly lists: Pick<ListKeeper, 'isOn' | 'changesIn'>;
  readonly logger: Logger;
}

const { ON_DEMAND } = proto.HistorySync.HistorySyncType;

/** New facts about people are published with the next events, or after this time if there are none. */
const NEWS_MS = 250;

/**
 * Puts the events of Baileys into the outbox, as the events of the contract: with both ids of people if known, and with
 * `contacts.update` for new facts about people. Events that cannot be mapped are logged.
 */
export class EventPublisher {
  readonly #options: EventPublisherOptions;
  readonly #addOns: AddOnDecryption;
  readonly #toldOfAccount = new Map<string, string>();
  readonly #news = new ContactNews();
  #newsTimer: NodeJS.Timeout | undefined;

  constructor(options: EventPublisherOptions) {
    this.#options = options;
    const { fence, recentMessages, messageSecrets, receivedMedia, eventLog } = options;
    const { outbox, account, auth, logger } = options;
    this.#addOns = new AddOnDecryption({
      ...{ fence, recentMessages, messageSecrets, receivedMedia, eventLog, outbox, logger },
      me: () => account.current?.me,
      otherNameOf: (jid) => otherNameOf(auth, jid),
      map: (events) => this.#map(events),
      release: (events) => this.#release(events),
      complete: (events) => this.#complete(events),
    });
  }

  publish(events: Partial<BaileysEventMap>): void {
    const { mentioned, described } = peopleIn(events);
    this.notePeople(described);
    for (const person of mentioned) {
      const { people } = this.#options;
      const id = [person.id, person.lid].map(personId).find((each) => each?.kind === 'lid');
      if (people.note(person) && id && person.username)
        this.#news.addUsername(toLid(id.user), person.username);
    }
    this.#listUnpublished(events);
    this.#release(this.#news.take(events));
    this.#addOns.publish(events);
  }

  /** Pairs that were just stored for the first time: each is published once. */
  pairsLearnt(pairs: readonly LearntPair[]): void {
    this.#news.addPairs(pairs);
    this.#newsTimer ??= setTimeout(() => {
      this.#newsTimer = undefined;
      if (!this.#news.isEmpty) this.#release(this.#news.take({}));
    }, NEWS_MS).unref();
  }

  /** Records facts about people without publishing them: clients get them in another way, or do not need them. */
  notePeople(known: readonly KnownPerson[]): void {
    for (const person of known) this.#options.people.note(person);
  }

  /**
   * Publishes the events in order. They wait for Redis only if they contain people who are not in memory, with one read
   * for all of these.
   */
  #release(events: readonly MappedEvent[]): void {
    const { people, outbox, filter, autoRead } = this.#options;
    // What is ignored by the kind of its chat needs no more ids.
    const shown = filter.apply(events);
    if (shown.length === 0) return;
    const completion = new Completion(shown, people);
    if (completion.unknown.length === 0) {
      completion.complete();
      const complete = filter.apply(shown);
      outbox.publish(complete);
      autoRead.note(complete);
      return;
    }
    const size = { events: shown.length, characters: roughLength(shown) };
    outbox.runFor({ run: () => this.#complete(shown), instead: () => shown, size });
  }

  async #complete(events: readonly MappedEvent[]): Promise<readonly MappedEvent[]> {
    const { people, filter, autoRead } = this.#options;
    const completion = new Completion(events, people);
    if (completion.unknown.length > 0) await people.load(completion.unknown);
    completion.complete();
    const complete = filter.apply(events);
    autoRead.note(complete);
    return complete;
  }

  /** A history that is not published tells the lists nonetheless which chats and contacts there are. */
  #listUnpublished({ 'messaging-history.set': part }: Partial<BaileysEventMap>): void {
    const { lists, inForce, people, filter, outbox } = this.#options;
    const isUnpublished = inForce.settings.history === 'none' && part?.syncType !== ON_DEMAND;
    if (part === undefined || !isUnpublished || !lists.isOn) return;
    const events = mapHistory(part);
    new Completion(events, people).complete();
    for (const event of filter.apply(events)) outbox.change(lists.changesIn(event));
  }

  #map(events: Partial<BaileysEventMap>): MappedEvent[] {
    const { account, statusReporter, inForce, logger } = this.#options;
    const context = { me: account.current?.me, condition: statusReporter.condition };
    const wanted = inForce.settings.history === 'none' ? withoutHistory(events) : events;
    const mapped = mapBaileysEvents(wanted, context, (event, error) =>
      logger.error({ err: error, event }, 'an event could not be mapped'),
    );
    return mapped.filter((event) => this.#isNews(event));
  }

  /** Baileys repeats the whole credentials now and then. Clients get an event only if the part for them has changed. */
  #isNews({ event, payload }: MappedEvent): boolean {
    if (event !== 'creds.update') return true;
    const changed = Object.entries(payload).filter(([field, value]) => {
      const text = JSON.stringify(value);
      if (this.#toldOfAccount.get(field) === text) return false;
      this.#toldOfAccount.set(field, text);
      return true;
    });
    return changed.length > 0;
  }
}

/** Without what phones hand over by themselves. What a client asked for is published. */
function withoutHistory(events: Partial<BaileysEventMap>): Partial<BaileysEventMap> {
  if (events['messaging-history.set']?.syncType === ON_DEMAND) return events;
  const { 'messaging-history.set': _set, 'messaging-history.status': _status, ...others } = events;
  return others;
}
