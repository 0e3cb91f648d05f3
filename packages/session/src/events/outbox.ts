import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
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

/** Bounds on one append, so that no script blocks Redis for long. Characters, of the bodies together. */
const MAX_EVENTS_PER_APPEND = 100;
const MAX_CHARACTERS_PER_APPEND = 512 * 1024;
const MAX_SECRETS_PER_APPEND = 200;
/** How long failed steps are counted before they are reported again, ms. */
const REPORT_MS = 60_000;
const RETRY_MS = { first: 200, most: 1_000 };

interface EventItem {
  readonly kind: 'event';
  readonly outgoing: OutgoingEvent;
}

type Item =
  | EventItem
  | { readonly kind: 'finished'; readonly message: FinishedMessage }
  | { readonly kind: 'secret'; readonly secret: SealedSecret }
  | { readonly kind: 'step'; readonly step: Step };

/** A write or a read in its place among the events. */
interface Step {
  /** Gives the events that leave in its place. */
  readonly run: () => Promise<readonly MappedEvent[]>;
  /** What leaves instead if `run` fails because of what is stored. Must not read anything. */
  readonly instead: () => readonly MappedEvent[];
  /** What the step holds until then: the events that it will give, about, and their characters. */
  readonly size: Size;
}

/** A message whose events were all given. */
export interface FinishedMessage {
  /** The field of the credentials that kept it until now; deleted with the append of its events. */
  readonly field: string | undefined;
  /** By which it is known from then on; undefined where it may come again, and is wanted then. */
  readonly digest: string | undefined;
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
 * The one way out of a session: its events and the writes that must keep their order with them, such as its
 * status, leave one after the other. Events that wait together are appended together. What fails because Redis is
 * out of reach is tried again until it succeeds; an append has a number by which Redis knows one whose answer was
 * lost, so it is written once. A step that fails for another reason, such as a stored value that is malformed, is
 * logged and left out, and its events are published without what it reads. A refused fence empties the outbox for good.
 *
 * Nothing that waits is ever dropped for want of room. `onCongestion` tells when much waits, so that whoever fills
 * the outbox can stop until it tells that the way is free again.
 */
export class Outbox {
  readonly #fence: Fence;
  readonly #eventLog: EventLog;
  readonly #logger: Logger;
  readonly #onFenced: () => void;
  readonly #congestion: Congestion;
  readonly #onFinished: (message: FinishedMessage) => void;
  /** Ends the pause before another try. Most sessions never have one. */
  #pause: AbortController | undefined;
  #isDiscarded = false;
  #items: Item[] = [];
  #batch = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #unreported = 0;
  #draining: Promise<void> | undefined;

  constructor(options: {
    fence: Fence;
    eventLog: EventLog;
    logger: Logger;
    onFenced: () => void;
    onCongestion: (isCongested: boolean) => void;
    /** The events of a message that was given to `finish` are in the log. */
    onFinished: (message: FinishedMessage) => void;
  }) {
    this.#fence = options.fence;
    this.#eventLog = options.eventLog;
    this.#logger = options.logger;
    this.#onFenced = options.onFenced;
    this.#congestion = new Congestion((isCongested) => {
      if (!this.#isDiscarded) options.onCongestion(isCongested);
    });
    this.#onFinished = options.onFinished;
  }

  publish(events: readonly MappedEvent[]): void {
    const items = this.#toItems(events);
    this.#congestion.count({ added: sizeOfItems(items) });
    for (const item of items) this.#enqueue(item);
  }

  /** Notes that a message is finished in the same step that appends the last of its events, all given before. */
  finish(message: FinishedMessage): void {
    this.#enqueue({ kind: 'finished', message });
  }

  /** Stores a secret of a message in the same step that appends the next events, which are given after it. */
  keep(secret: SealedSecret): void {
    this.#congestion.count({ added: { events: 0, characters: secret.sealed.length } });
    this.#enqueue({ kind: 'secret', secret });
  }

  /**
   * Runs a write after everything given before and before everything given later.
   * @param characters of what the write holds, about.
   */
  run(step: () => Promise<void>, characters = 0): void {
    const run = async () => {
      await step();
      return [];
    };
    this.runFor({ run, instead: () => [], size: { events: 1, characters } });
  }

  /** The same of a step that gives events: these too leave before everything given later. */
  runFor(step: Step): void {
    this.#congestion.count({ added: step.size });
    this.#enqueue({ kind: 'step', step });
  }

  /** Resolves when all that was given has left or was discarded. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  /** Throws away what waits and takes nothing more. */
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
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#items.length > 0) {
      // What Baileys hands out of a message and that the message is finished come in one turn of the event loop: taken
      // in a turn of their own they are in one batch.
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
        const usesUp = finished.flatMap(({ field }) => field ?? []);
        const finishes = finished.flatMap(({ digest }) => digest ?? []);
        this.#batch += 1;
        const batch = this.#batch;
        await this.#untilDone(async () => {
          await this.#append(events, { batch, usesUp, finishes, secrets });
          for (const message of finished) this.#onFinished(message);
        });
        const kept = secrets.reduce((sum, { sealed }) => sum + sealed.length, 0);
        const characters = charactersOf(events) + kept;
        this.#congestion.count({ removed: { events: events.length, characters } });
      }
    }
    this.#draining = undefined;
  }

  /** Appends events. One that is too large for the log is dropped, and the others are written without it. */
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

  /** Logs at most once a minute: what one record makes fail may fail with each event. */
  #reportStep(error: unknown): void {
    const now = performance.now();
    if (this.#isDiscarded) return;
    if (now - this.#reportedAt < REPORT_MS) {
      this.#unreported += 1;
      return;
    }
    this.#logger.error(
      { err: error, unreported: this.#unreported },
      'a step of a session failed and is left out; its events are published without it',
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
    for (let waitMs = RETRY_MS.first; !this.#isDiscarded; waitMs = Math.min(waitMs * 2, RETRY_MS.most)) {
      try {
        await write();
        return;
      } catch (error) {
        if (this.#isDiscarded) return;
        if (error instanceof FencedError) {
          this.discard();
          this.#onFenced();
          return;
        }
        this.#logger.warn({ err: error, retryMs: waitMs }, 'a session cannot write to Redis; it tries again');
        this.#pause = new AbortController();
        await delay(waitMs, undefined, { signal: this.#pause.signal }).catch(() => {});
        this.#pause = undefined;
      }
    }
  }
}
