import { type EventName, payloadSchemas } from '@wafleet/contract';
import type { EventLog, SessionRef } from '@wafleet/store';

/** An event as a client would get it. */
export interface PublishedEvent {
  readonly event: EventName;
  readonly payload: Record<string, unknown>;
}

type Position = Awaited<ReturnType<EventLog['read']>>['end'];

/** The events of one session in the log of its tenant. Each is read, and checked against the contract, once. */
export class PublishedEvents {
  readonly #log: EventLog;
  readonly #ref: SessionRef;
  readonly #events: PublishedEvent[] = [];
  #after: Position | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(log: EventLog, ref: SessionRef) {
    this.#log = log;
    this.#ref = ref;
  }

  /** Resolves to everything published so far, oldest first. Rejects if Redis cannot be reached. */
  async read(): Promise<PublishedEvent[]> {
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readOn());
    await this.#reading;
    return [...this.#events];
  }

  /** Reads page by page: a page ends after some bytes, however many events are asked for. */
  async #readOn(): Promise<void> {
    for (;;) {
      const page = await this.#log.read(this.#ref.tenantId, { after: this.#after, count: 1_000 });
      for (const { event, body, sessionId } of page.events) {
        if (sessionId !== this.#ref.sessionId) continue;
        const payload: Record<string, unknown> = JSON.parse(body.toString());
        payloadSchemas[event].parse(payload);
        this.#events.push({ event, payload });
      }
      this.#after = page.end;
      if (page.events.length === 0) return;
    }
  }
}
