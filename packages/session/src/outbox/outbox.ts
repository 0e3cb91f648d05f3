import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { backoff, type Logger } from '@wafleet/runtime';
import {
  type EventLog,
  EventTooLargeError,
  type Fence,
  FencedError,
  type OutgoingEvent,
  type SealedEntry,
  type SealedSecret,
} from '@wafleet/store';
import type { ListChange } from '../lists/list-changes.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import {
  type EventItem,
  type FinishedMessage,
  type Item,
  type Step,
  sizeOfChanges,
  sizeOfItems,
  takeBatch,
} from './batch.js';
import { Congestion } from './congestion.js';
import { isOfContent } from './content-errors.js';
import { boundedBody } from './event-size.js';

/** How long failed steps are only counted before they are reported again, ms. */
const REPORT_MS = 60_000;
const retryWaitMs = backoff({ baseMs: 200, capMs: 1_000 });

/** The life of the session. */
interface Lifecycle {
  /** Another worker owns the session. */
  end(end: 'fenced'): void;
}

/** Whether the session reads what WhatsApp sends. */
interface Gate {
  hold(hold: 'congestion', isHeld: boolean): void;
}

type AppendOptions = NonNullable<Parameters<EventLog['append']>[2]>;

/** The lists of chats and contacts, which change with the events. */
interface Lists {
  /** What an event says of chats and contacts. */
  changesIn(event: MappedEvent): readonly ListChange[];
  /** The entries that changes make. Called for one append after the other. */
  prepare(changes: readonly ListChange[]): Promise<readonly SealedEntry[]>;
}

/**
 * The only way out of a session. Its events, and the writes that must keep their order with them, such as its status,
 * leave one after the other. Events that wait together are appended together. A step that fails because Redis is
 * unreachable is retried until it succeeds. Each append has a number, by which Redis recognises a repeated append whose
 * answer was lost, so it is written once. A step that fails for another reason, such as a malformed stored value, is
 * logged and skipped, and its events are published without the value. A refused fence empties the outbox for good.
 *
 * The outbox never drops waiting items for lack of space. While many items wait, it holds the session's reading, so that
 * nothing more arrives.
 */
export class Outbox {
  readonly #fence: Fence;
  readonly #eventLog: EventLog;
  readonly #logger: Logger;
  readonly #lifecycle: Lifecycle;
  readonly #congestion: Congestion;
  readonly #lists: Lists | undefined;
  /** Ends the pause before another attempt. Most sessions never have one. */
  #pause: AbortController | undefined;
  #isDiscarded = false;
  #items: Item[] = [];
  #batch = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #unreported = 0;
  #emptying: Promise<void> | undefined;

  constructor(options: {
    fence: Fence;
    eventLog: EventLog;
    logger: Logger;
    lifecycle: Lifecycle;
    readingGate: Gate;
    lists?: Lists;
  }) {
    this.#fence = options.fence;
    this.#eventLog = options.eventLog;
    this.#logger = options.logger;
    this.#lifecycle = options.lifecycle;
    this.#lists = options.lists;
    this.#congestion = new Congestion((isCongested) => {
      if (!this.#isDiscarded) options.readingGate.hold('congestion', isCongested);
    });
  }

  publish(events: readonly MappedEvent[]): void {
    const items = this.#toItems(events);
    this.#congestion.count({ added: sizeOfItems(items) });
    for (const item of items) this.#enqueue(item);
  }

  /** Marks a message as finished, in the step that appends the last of its events. Call it after publishing them. */
  finish(message: FinishedMessage): void {
    this.#enqueue({ kind: 'finished', message });
  }

  /** Stores a secret of a message, in the step that appends its events. Call it before publishing them. */
  keep(secret: SealedSecret): void {
    this.#congestion.count({ added: { events: 0, characters: secret.sealed.length } });
    this.#enqueue({ kind: 'secret', secret });
  }

  /** Changes the lists of chats and contacts without an event. At most 200 changes. */
  change(changes: readonly ListChange[]): void {
    if (changes.length === 0) return;
    this.#congestion.count({ added: sizeOfChanges(changes) });
    this.#enqueue({ kind: 'changes', changes });
  }

  /**
   * Runs a write after everything added before it and before everything added later.
   * @param characters the approximate size of what the write holds.
   */
  run(step: () => Promise<void>, characters = 0): void {
    const run = async () => {
      await step();
      return [];
    };
    this.runFor({ run, instead: () => [], size: { events: 1, characters } });
  }

  /** Like `run`, for a step that returns events: they too leave before everything added later. */
  runFor(step: Step): void {
    this.#congestion.count({ added: step.size });
    this.#enqueue({ kind: 'step', step });
  }

  /** Resolves when everything added so far has left or was discarded. */
  async idle(): Promise<void> {
    while (this.#emptying !== undefined) await this.#emptying;
  }

  /** Discards waiting items and accepts no more. */
  discard(): void {
    this.#isDiscarded = true;
    this.#pause?.abort();
    this.#items = [];
  }

  #toItems(events: readonly MappedEvent[]): EventItem[] {
    const { sessionId } = this.#fence;
    const timestamp = new Date().toISOString();
    return events.map((mapped) => {
      const { event, payload } = mapped;
      const body = boundedBody({ sessionId, timestamp, ...payload });
      const isHistory = payload.history === true;
      const changes = this.#lists?.changesIn(mapped) ?? [];
      return { kind: 'event', outgoing: { event, body, ...(isHistory ? { isHistory } : {}) }, changes };
    });
  }

  #enqueue(item: Item): void {
    if (this.#isDiscarded) return;
    this.#items.push(item);
    this.#emptying ??= this.#empty();
  }

  async #empty(): Promise<void> {
    while (this.#items.length > 0) {
      // Baileys hands out a message's events and its end in one turn of the event loop. Taking the items in a later
      // turn puts them into one batch.
      await nextTurn();
      const [first] = this.#items;
      if (first?.kind === 'step') {
        this.#items.shift();
        await this.#untilDone(async () => {
          const items = this.#toItems(await this.#runStep(first.step));
          this.#items.unshift(...items);
          this.#congestion.count({ added: sizeOfItems(items), removed: first.step.size });
        });
      } else {
        const { events, finished, secrets, changes, size } = takeBatch(this.#items);
        const deletedFields = finished.flatMap(({ field }) => field ?? []);
        const finishedDigests = finished.flatMap(({ digest }) => digest ?? []);
        this.#batch += 1;
        const batch = this.#batch;
        let entries: readonly SealedEntry[] | undefined;
        await this.#untilDone(async () => {
          // Once for all attempts: the lists take what they prepared for stored.
          entries ??= changes.length === 0 ? [] : await this.#lists?.prepare(changes);
          const options = { batch, deletedFields, finishedDigests, secrets, entries: entries ?? [] };
          await this.#append(events, options);
          for (const message of finished) message.logged();
        });
        this.#congestion.count({ removed: size });
      }
    }
    this.#emptying = undefined;
  }

  /** Appends events. An event that is too large for the log is dropped, and the others are written without it. */
  async #append(events: readonly OutgoingEvent[], options: AppendOptions): Promise<void> {
    try {
      await this.#eventLog.append(this.#fence, events, options);
    } catch (error) {
      if (!(error instanceof EventTooLargeError)) throw error;
      this.#logger.error({ err: error }, 'an event is too large for the log and was dropped');
      await this.#append(
        events.filter((event) => event !== error.event),
        options,
      );
    }
  }

  async #runStep({ run, instead }: Step): Promise<readonly MappedEvent[]> {
    try {
      return await run();
    } catch (error) {
      if (!isOfContent(error)) throw error;
      this.#reportStep(error);
      return instead();
    }
  }

  /** Logs at most once a minute: a record that makes one event's step fail may do so for each event. */
  #reportStep(error: unknown): void {
    const now = performance.now();
    if (this.#isDiscarded) return;
    if (now - this.#reportedAt < REPORT_MS) {
      this.#unreported += 1;
      return;
    }
    this.#logger.error(
      { err: error, unreported: this.#unreported },
      'a step of a session failed and was skipped; its events are published without it',
    );
    this.#reportedAt = now;
    this.#unreported = 0;
  }

  async #untilDone(write: () => Promise<void>): Promise<void> {
    for (let attempt = 0; !this.#isDiscarded; attempt += 1) {
      try {
        await write();
        return;
      } catch (error) {
        if (this.#isDiscarded) return;
        if (error instanceof FencedError) {
          this.discard();
          this.#lifecycle.end('fenced');
          return;
        }
        const waitMs = retryWaitMs(attempt);
        this.#logger.warn({ err: error, retryMs: waitMs }, 'a session cannot write to Redis; it tries again');
        this.#pause = new AbortController();
        await delay(waitMs, undefined, { signal: this.#pause.signal }).catch(() => {});
        this.#pause = undefined;
      }
    }
  }
}
