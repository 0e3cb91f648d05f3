import type { Logger } from '@wafleet/runtime';
import { type Arrival, type Fence, noteArrivals, type RedisConnection } from '@wafleet/store';

/** How often the arrivals of one session are written at most, ms. */
const NOTE_EVERY_MS = 60_000;

/** What is used of an owned session. */
export interface Receiver {
  readonly fence: Fence;
  readonly session: { readonly lastStanzaAt: number; readonly lastMessageAt: number };
}

/**
 * Writes to the directory when WhatsApp last delivered something to this worker's sessions: at most once a minute for
 * each, apart from the messages' own writes, and not for sessions to which nothing came since.
 */
export class ArrivalNotes {
  readonly #redis: RedisConnection;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #noted = new WeakMap<Receiver, { readonly at: number; readonly stanzaAt: number }>();

  /** @param now ms since 1970. */
  constructor(redis: RedisConnection, logger: Logger, now: () => number = Date.now) {
    this.#redis = redis;
    this.#logger = logger;
    this.#now = now;
  }

  /** Writes what is due. Never rejects: what could not be written is due again. */
  async write(receivers: Iterable<Receiver>): Promise<void> {
    const at = this.#now();
    const arrivals: Arrival[] = [];
    const due: Receiver[] = [];
    for (const receiver of receivers) {
      const { lastStanzaAt, lastMessageAt } = receiver.session;
      const noted = this.#noted.get(receiver) ?? { at: Number.NEGATIVE_INFINITY, stanzaAt: 0 };
      if (lastStanzaAt <= noted.stanzaAt || at - noted.at < NOTE_EVERY_MS) continue;
      this.#noted.set(receiver, { at, stanzaAt: lastStanzaAt });
      due.push(receiver);
      arrivals.push({ fence: receiver.fence, lastStanzaAt, lastMessageAt });
    }
    if (arrivals.length === 0) return;
    try {
      await noteArrivals(this.#redis, arrivals);
    } catch (error) {
      for (const receiver of due) this.#noted.delete(receiver);
      this.#logger.warn({ err: error, sessions: due.length }, 'arrivals could not be noted');
    }
  }
}
