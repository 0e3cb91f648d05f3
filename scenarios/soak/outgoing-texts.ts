import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@wafleet/client';
import type { TestTenant } from '@wafleet/testkit';
import type { LinkedSession, Phone } from '../support/linked-sessions.js';
import type { SeededRandom } from '../support/seeded-random.js';

/** A text that was sent by REST, and the answer: `ok`, an error code, or `no answer` if the connection broke. */
interface OutgoingText {
  readonly text: string;
  readonly reader: Phone;
  readonly sessionId: string;
  /** ms since 1970. */
  readonly at: number;
  outcome: string | undefined;
}

/** How the sent texts differ from what their readers received. */
export interface SendDifferences {
  /** Answered `ok`, and the reader has no such text. */
  readonly acknowledgedButMissing: readonly string[];
  /** The reader has the text more than once. */
  readonly doubled: readonly string[];
  /** Answered with an error that means that nothing was sent, but the reader has the text. */
  readonly refusedButSent: readonly string[];
}

/** Answers that leave open whether the text was sent. */
const UNCERTAIN = new Set(['OUTCOME_UNKNOWN', 'no answer']);

/** Sends texts by REST from a tenant's sessions to people, one after the other, and never repeats one. */
export class OutgoingTexts {
  readonly #tenant: TestTenant;
  readonly #prefix: string;
  readonly #sessions: readonly LinkedSession[];
  readonly #readers: readonly Phone[];
  readonly #random: SeededRandom;
  readonly #texts: OutgoingText[] = [];
  readonly #pending = new Set<Promise<void>>();

  constructor(options: {
    tenant: TestTenant;
    prefix: string;
    sessions: readonly LinkedSession[];
    readers: readonly Phone[];
    random: SeededRandom;
  }) {
    this.#tenant = options.tenant;
    this.#prefix = options.prefix;
    this.#sessions = options.sessions;
    this.#readers = options.readers;
    this.#random = options.random;
  }

  /** Sends one text. Does not wait for the answer. */
  sendOne(): void {
    const entry: OutgoingText = {
      text: `${this.#prefix}OUT${this.#texts.length + 1}`,
      reader: this.#random.oneOf(this.#readers),
      sessionId: this.#random.oneOf(this.#sessions).id,
      at: Date.now(),
      outcome: undefined,
    };
    this.#texts.push(entry);
    const sending = this.#send(entry).finally(() => this.#pending.delete(sending));
    this.#pending.add(sending);
  }

  /** Resolves once each text has an answer. */
  async answered(): Promise<void> {
    while (this.#pending.size > 0) {
      await Promise.all(this.#pending);
      await delay(0);
    }
  }

  /** How many texts had each answer. */
  get outcomes(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { outcome = 'open' } of this.#texts) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  }

  get differences(): SendDifferences {
    const copies = ({ text, reader }: OutgoingText) =>
      reader.received.filter((received) => received.text === text).length;
    const named = (texts: readonly OutgoingText[]) =>
      texts.map(({ text, sessionId, at, outcome }) => `${text} of ${sessionId} at ${at}: ${outcome}`);
    return {
      acknowledgedButMissing: named(
        this.#texts.filter((text) => text.outcome === 'ok' && copies(text) === 0),
      ),
      doubled: named(this.#texts.filter((text) => copies(text) > 1)),
      refusedButSent: named(
        this.#texts.filter(
          (text) => text.outcome !== 'ok' && !UNCERTAIN.has(text.outcome ?? '') && copies(text) > 0,
        ),
      ),
    };
  }

  async #send(entry: OutgoingText): Promise<void> {
    try {
      await this.#tenant.client.call('send-message', {
        params: { id: entry.sessionId },
        body: { to: entry.reader.number, text: entry.text },
      });
      entry.outcome = 'ok';
    } catch (error) {
      entry.outcome = error instanceof ApiError ? error.code : 'no answer';
    }
  }
}
