import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import { type EventLog, type Fence, FencedError, type OutgoingEvent } from '@wafleet/store';
import type { MappedEvent } from './mapping/mapped-event.js';

/** Bounds on one append, so that no script blocks Redis for long. Characters, of the bodies together. */
const MAX_EVENTS_PER_APPEND = 100;
const MAX_CHARACTERS_PER_APPEND = 512 * 1024;
const RETRY_MS = { first: 200, most: 5_000 };

type Item =
  | { readonly kind: 'event'; readonly outgoing: OutgoingEvent }
  | { readonly kind: 'step'; readonly run: () => Promise<void> };

/**
 * The one way out of a session: its events and the writes that must keep their order with them, such as its
 * status, leave one after the other. Events that wait together are appended together. What fails because Redis is
 * out of reach is tried again until it succeeds, so an append whose answer was lost repeats (at least once). A
 * refused fence empties the outbox for good.
 */
export class Outbox {
  readonly #fence: Fence;
  readonly #eventLog: EventLog;
  readonly #logger: Logger;
  readonly #onFenced: () => void;
  readonly #abort = new AbortController();
  #items: Item[] = [];
  #draining: Promise<void> | undefined;

  constructor(options: { fence: Fence; eventLog: EventLog; logger: Logger; onFenced: () => void }) {
    this.#fence = options.fence;
    this.#eventLog = options.eventLog;
    this.#logger = options.logger;
    this.#onFenced = options.onFenced;
  }

  publish(events: readonly MappedEvent[]): void {
    const { sessionId } = this.#fence;
    const timestamp = new Date().toISOString();
    for (const { event, payload } of events) {
      const body = JSON.stringify({ sessionId, timestamp, ...payload });
      this.#enqueue({ kind: 'event', outgoing: { event, body } });
    }
  }

  /** Runs a write after everything given before and before everything given later. */
  run(step: () => Promise<void>): void {
    this.#enqueue({ kind: 'step', run: step });
  }

  /** Resolves when all that was given has left or was discarded. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  /** Throws away what waits and takes nothing more. */
  discard(): void {
    this.#abort.abort();
    this.#items = [];
  }

  #enqueue(item: Item): void {
    if (this.#abort.signal.aborted) return;
    this.#items.push(item);
    this.#draining ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Lets the events of one flush of Baileys gather.
    await Promise.resolve();
    while (this.#items.length > 0) {
      const [first] = this.#items;
      if (first?.kind === 'step') {
        this.#items.shift();
        await this.#untilDone(first.run);
      } else {
        const batch = this.#takeEvents();
        await this.#untilDone(async () => {
          await this.#eventLog.append(this.#fence, batch);
        });
      }
    }
    this.#draining = undefined;
  }

  #takeEvents(): OutgoingEvent[] {
    const batch: OutgoingEvent[] = [];
    let characters = 0;
    for (const item of this.#items) {
      if (item.kind !== 'event') break;
      characters += item.outgoing.body.length;
      const full = batch.length >= MAX_EVENTS_PER_APPEND || characters > MAX_CHARACTERS_PER_APPEND;
      if (full && batch.length > 0) break;
      batch.push(item.outgoing);
    }
    this.#items.splice(0, batch.length);
    return batch;
  }

  async #untilDone(write: () => Promise<void>): Promise<void> {
    for (
      let waitMs = RETRY_MS.first;
      !this.#abort.signal.aborted;
      waitMs = Math.min(waitMs * 2, RETRY_MS.most)
    ) {
      try {
        await write();
        return;
      } catch (error) {
        if (this.#abort.signal.aborted) return;
        if (error instanceof FencedError) {
          this.discard();
          this.#onFenced();
          return;
        }
        this.#logger.warn({ err: error, retryMs: waitMs }, 'a session cannot write to Redis; it tries again');
        await delay(waitMs, undefined, { signal: this.#abort.signal }).catch(() => {});
      }
    }
  }
}
