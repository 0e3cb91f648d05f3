import { type EventPayload, payloadSchemas } from '@wafleet/contract';
import { SeverablePort, type TestTenant } from '@wafleet/testkit';
import { SequenceClient } from '../support/sequence-client.js';

/** WhatsApp's number for a notice in place of a message that could not be decrypted. */
const CIPHERTEXT = 2;

/** One arrival of a message's text. */
export interface Arrival {
  readonly eventId: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What a client received of one message. */
export interface Receipts {
  /** One for each event that carried the text. An event that came twice counts once. */
  readonly arrivals: Arrival[];
  /** Events with a notice that the message could not be decrypted. */
  notices: number;
}

/**
 * An ordinary Socket.IO client of one tenant, behind its own network that can be cut and stalled. It records each
 * message of its tenant, and everything that belongs to another tenant.
 */
export class SoakClient {
  readonly name: string;
  readonly sequence: SequenceClient;
  readonly network: SeverablePort;
  readonly receipts = new Map<string, Receipts>();
  /** Message ids by the order of their first arrival, by `<session> <chat> <participant>`. */
  readonly orders = new Map<string, string[]>();
  /** Texts of another tenant. */
  readonly foreign: string[] = [];
  readonly #prefix: string;

  /**
   * @param options.prefix every text to this tenant begins with it, and no text to another tenant does.
   * @param options.port of the load balancer.
   */
  static async start(options: {
    name: string;
    tenant: TestTenant;
    prefix: string;
    port: number;
    transports: ('polling' | 'websocket')[];
  }): Promise<SoakClient> {
    const { name, tenant, prefix, port, transports } = options;
    const network = await SeverablePort.open(port);
    const sequence = await SequenceClient.start({
      url: `http://127.0.0.1:${network.port}`,
      apiKey: tenant.apiKey,
      options: { transports, forceNew: true },
    });
    return new SoakClient({ name, sequence, network, prefix });
  }

  private constructor(parts: {
    name: string;
    sequence: SequenceClient;
    network: SeverablePort;
    prefix: string;
  }) {
    this.name = parts.name;
    this.sequence = parts.sequence;
    this.network = parts.network;
    this.#prefix = parts.prefix;
    this.sequence.socket.on('messages.upsert', (payload) => {
      this.#record(payloadSchemas['messages.upsert'].parse(payload));
    });
  }

  has(id: string): boolean {
    return (this.receipts.get(id)?.arrivals.length ?? 0) > 0;
  }

  /** The longest time between two arrivals. Times in ms since 1970. */
  get longestGap(): { from: number; to: number } {
    const times = [...this.receipts.values()]
      .flatMap(({ arrivals }) => arrivals[0]?.at ?? [])
      .sort((a, b) => a - b);
    return times.reduce(
      (longest, to, index) => {
        const from = times[index - 1] ?? to;
        return to - from > longest.to - longest.from ? { from, to } : longest;
      },
      { from: 0, to: 0 },
    );
  }

  async close(): Promise<void> {
    this.sequence.close();
    await this.network.close();
  }

  #record({ eventId, sessionId, messages }: EventPayload<'messages.upsert'>): void {
    for (const { key, message, messageStubType } of messages) {
      const { id, remoteJid, participant = '', fromMe } = key;
      if (typeof id !== 'string') continue;
      const receipts = this.receipts.get(id) ?? { arrivals: [], notices: 0 };
      if (messageStubType === CIPHERTEXT) {
        receipts.notices += 1;
        this.receipts.set(id, receipts);
      }
      const text = message?.conversation;
      if (typeof text !== 'string' || fromMe === true) continue;
      if (!text.startsWith(this.#prefix)) this.foreign.push(`${sessionId}: ${text}`);
      if (receipts.arrivals.some((arrival) => arrival.eventId === eventId)) continue;
      if (receipts.arrivals.length === 0) {
        const lane = `${sessionId} ${remoteJid} ${participant}`;
        this.orders.set(lane, [...(this.orders.get(lane) ?? []), id]);
      }
      receipts.arrivals.push({ eventId, at: Date.now() });
      this.receipts.set(id, receipts);
    }
  }
}
