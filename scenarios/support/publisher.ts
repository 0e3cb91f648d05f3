import { setTimeout as delay } from 'node:timers/promises';
import { type EventName, formatEventId } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  EventLog,
  type Fence,
  Ownership,
  type RedisConnection,
  SessionDirectory,
} from '@wafleet/store';
import type { Cluster, TestTenant } from '@wafleet/testkit';
import type { Entry } from './event-log.js';

interface PublisherOptions {
  readonly cluster: Cluster;
  readonly tenant: TestTenant;
  /** The number of sessions. Default: 1. */
  readonly sessions?: number;
  /** Events per second of each session. */
  readonly perSecond: number;
  /** Characters of each message. Default: 500. */
  readonly textLength?: number;
  /** How many events the log keeps. Default: that of the log. */
  readonly logLength?: number;
}

const EVENT: EventName = 'messages.upsert';

/**
 * Sessions of a tenant that get messages at a steady rate. It claims the sessions and publishes with the same scripts
 * as a worker, but without WhatsApp. For scenarios about what happens to events after a worker created them.
 */
export class Publisher {
  /** The events that it has published, in the order of the log. Nothing else writes to that log. */
  readonly published: Entry[] = [];
  /** How long Redis took for each append, ms. Helps to explain the latencies of clients. */
  readonly appendMs: number[] = [];
  readonly #options: PublisherOptions;
  readonly #redis: RedisConnection;
  readonly #log: EventLog;
  readonly #abort = new AbortController();
  #publishing: Promise<unknown> = Promise.resolve();

  static async start(options: PublisherOptions): Promise<Publisher> {
    const publisher = new Publisher(options);
    const { sessions = 1, tenant } = options;
    const names = Array.from({ length: sessions }, (_, index) => `p${index + 1}`);
    const fences = await Promise.all(names.map((sessionId) => publisher.#own(tenant.id, sessionId)));
    publisher.#publishing = Promise.all(fences.map((fence) => publisher.#publish(fence)));
    return publisher;
  }

  private constructor(options: PublisherOptions) {
    const { cluster, logLength } = options;
    const logger = createLogger({ app: 'scenario', level: 'silent' });
    this.#options = options;
    this.#redis = connectRedis({ url: cluster.redis.url, role: 'command', name: 'publisher', logger });
    this.#log = new EventLog(this.#redis, logLength === undefined ? {} : { maxLength: logLength });
  }

  /** Ends publishing. Resolves when the appends under way are done. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#publishing;
    this.#redis.disconnect();
  }

  async #own(tenantId: string, sessionId: string): Promise<Fence> {
    await new SessionDirectory(this.#redis).create({ tenantId, sessionId });
    const claimed = await new Ownership(this.#redis).claim({ tenantId, sessionId }, { worker: 'publisher' });
    if (!('fence' in claimed)) throw new Error(`${sessionId} has another owner`);
    return claimed.fence;
  }

  async #publish(fence: Fence): Promise<void> {
    const { perSecond, textLength = 500 } = this.#options;
    const { signal } = this.#abort;
    const conversation = 'x'.repeat(textLength);
    const begun = performance.now();
    for (let number = 1; !signal.aborted; number += 1) {
      const message = {
        sessionId: fence.sessionId,
        timestamp: new Date().toISOString(),
        messages: [
          { key: { remoteJid: '1@lid', fromMe: false, id: `M${number}` }, message: { conversation } },
        ],
        type: 'notify',
      };
      const appendedAt = performance.now();
      const [position] = await this.#log.append(fence, [{ event: EVENT, body: JSON.stringify(message) }]);
      if (position === undefined) throw new Error('an event without a position');
      this.appendMs.push(Math.round(performance.now() - appendedAt));
      const eventId = formatEventId(position);
      this.published.push({ eventId, event: EVENT, sessionId: fence.sessionId });
      const next = begun + (number * 1_000) / perSecond;
      await delay(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => {});
    }
  }
}
