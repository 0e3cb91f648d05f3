import { type EventPayload, payloadSchemas } from '@wafleet/contract';
import type { EventCollector } from '@wafleet/testkit';

/** WhatsApp's number for a notice in place of a message that could not be decrypted. */
const CIPHERTEXT = 2;

type Message = EventPayload<'messages.upsert'>['messages'][number];

/** What a client received of one message. */
interface Receipts {
  /** Its texts, one per arrival. */
  readonly texts: string[];
  /** The arrival times of those, ms since 1970. */
  readonly times: number[];
  /** The number of notices that the message could not be decrypted. */
  notices: number;
}

function nothing(): Receipts {
  return { texts: [], times: [], notices: 0 };
}

/** The text messages that a client has received, by their ids. */
export class ReceivedMessages {
  /** The ids in the order of their first text, for each session and sender: `<session> <chat> <participant>`. */
  readonly orders = new Map<string, string[]>();
  readonly #client: EventCollector;
  readonly #byId = new Map<string, Receipts>();
  #read = 0;
  #count = 0;

  constructor(client: EventCollector) {
    this.#client = client;
  }

  of(id: string): Readonly<Receipts> {
    this.#readNew();
    return this.#byId.get(id) ?? nothing();
  }

  /** The number of messages that have come, without repeated ones. */
  get count(): number {
    this.#readNew();
    return this.#count;
  }

  has(id: string): boolean {
    return this.of(id).texts.length > 0;
  }

  #readNew(): void {
    const { events } = this.#client;
    for (; this.#read < events.length; this.#read += 1) {
      const collected = events[this.#read];
      if (collected?.event !== 'messages.upsert') continue;
      const { sessionId, messages } = payloadSchemas['messages.upsert'].parse(collected.payload);
      for (const message of messages) this.#take(sessionId, message, collected.at);
    }
  }

  #take(sessionId: string, { key, message, messageStubType }: Message, at: number): void {
    const { id, remoteJid, participant = '' } = key;
    const text = message?.conversation;
    if (id === undefined || id === null) return;
    const receipts = this.#byId.get(id) ?? nothing();
    this.#byId.set(id, receipts);
    if (messageStubType === CIPHERTEXT) receipts.notices += 1;
    if (typeof text !== 'string') return;
    if (receipts.texts.length === 0) {
      this.#count += 1;
      const lane = `${sessionId} ${remoteJid} ${participant}`;
      const order = this.orders.get(lane);
      if (order === undefined) this.orders.set(lane, [id]);
      else order.push(id);
    }
    receipts.texts.push(text);
    receipts.times.push(at);
  }
}
