import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { backoff, type Logger } from '@wafleet/runtime';
import {
  type EventLog,
  EventTooLargeError,
  type Fence,
  FencedError,
  type OutgoingEvent,
  type SealedSecret,
} from '@wafleet/store';
import type { MappedEvent } from '../mapping/mapped-event.js';
import { Congestion, type Size } from './congestion.js';
import { isOfContent } from './content-errors.js';
import { boundedBody } from './event-size.js';

/** Bounds on one append, so that no script blocks Redis for long. In characters, of all bodies together. */
const MAX_EVENTS_PER_APPEND = 100;
const MAX_CHARACTERS_PER_APPEND = 512 * 1024;
const MAX_SECRETS_PER_APPEND = 200;
/** How long failed steps are only counted before they are reported again, ms. */
const REPORT_MS = 60_000;
const retryWaitMs = backoff({ baseMs: 200, capMs: 1_000 });

interface EventItem {
  readonly kind: 'event';
  readonly outgoing: OutgoingEvent;
}

type Item =
  | EventItem
  | { readonly kind: 'finished'; readonly message: FinishedMessage }
  | { readonly kind: 'secret'; readonly secret: SealedSecret }
  | { readonly kind: 'step'; readonly step: Step };

/** A write or a read with a fixed place among the events. */
interface Step {
  /** Returns the events that take the step's place. */
  readonly run: () => Promise<readonly MappedEvent[]>;
  /** The events to use instead if `run` fails because of stored content. Must not read anything. */
  readonly instead: () => readonly MappedEvent[];
  /** What the step holds until it has run: roughly the number of its events, and their characters. */
  readonly size: Size;
}

/** The life of the session. */
interface Lifecycle {
  /** Another worker owns the session. */
  end(end: 'fenced'): void;
}

/** Whether the session reads what WhatsApp sends. */
interface Gate {
  hold(hold: 'congestion', isHeld: boolean): void;
}

/** A message whose events were all published to the outbox. */
export interface FinishedMessage {
  /** The field of the credentials that kept it until now; deleted with the append of its events. */
  readonly field: string | undefined;
  /** The digest that identifies it from then on. Undefined if the message may come again and is wanted then. */
  readonly digest: string | undefined;
  /** Called when its events are in the log. */
  logged(): void;
}

type AppendOptions = NonNullable<Parameters<EventLog['append']>[2]>;

interface Batch {
  readonly events: OutgoingEvent[];
  readonly finished: FinishedMessage[];
  readonly secrets: SealedSecret[];
}

function sizeOfItems(items: readonly EventItem[]): Size {
  return { events: items.length, characters: charactersOf(items.map(({ outgoing }) => outgoing)) };
}

function charactersOf(events: readonly OutgoingEvent[]): number {
  return events.reduce((sum, { body }) => sum + body.length, 0);
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
  }) {
    this.#fence = options.fence;
    this.#eventLog = options.eventLog;
    this.#logger = options.logger;
    this.#lifecycle = options.lifecycle;
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
    return events.map(({ event, payload }) => {
      const body = boundedBody({ sessionId, timestamp, ...payload });
      const isHistory = payload.history === true;
      return { kind: 'event', outgoing: { event, body, ...(isHistory ? { isHistory } : {}) } };
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
        const { events, finished, secrets } = this.#takeBatch();
        const deletedFields = finished.flatMap(({ field }) => field ?? []);
        const finishedDigests = finished.flatMap(({ digest }) => digest ?? []);
        this.#batch += 1;
        const batch = this.#batch;
        await this.#untilDone(async () => {
          await this.#append(events, { batch, deletedFields, finishedDigests, secrets });
          for (const message of finished) message.logged();
        });
        const kept = secrets.reduce((sum, { sealed }) => sum + sealed.length, 0);
        const characters = charactersOf(events) + kept;
        this.#congestion.count({ removed: { events: events.length, characters } });
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

  #takeBatch(): Batch {
    const batch: Batch = { events: [], finished: [], secrets: [] };
    let characters = 0;
    let taken = 0;
    for (const item of this.#items) {
      if (item.kind === 'step') break;
      if (item.kind === 'event') {
        characters += item.outgoing.body.length;
        const full = batch.events.length >= MAX_EVENTS_PER_APPEND || characters > MAX_CHARACTERS_PER_APPEND;
        if (full && batch.events.length > 0) break;
        batch.events.push(item.outgoing);
      } else if (item.kind === 'secret') {
        if (batch.secrets.length >= MAX_SECRETS_PER_APPEND) break;
        batch.secrets.push(item.secret);
      } else {
        batch.finished.push(item.message);
      }
      taken += 1;
    }
    this.#items.splice(0, taken);
    return batch;
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
