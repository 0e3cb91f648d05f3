import {
  type AuthenticationState,
  type BaileysEventMap,
  type ConnectionState,
  makeWASocket,
  type UserFacingSocketConfig,
  WA_CERT_DETAILS,
  type WAMessage,
  type WAMessageUpdate,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { Phone } from '../phone/phone.js';
import type { Simulator } from '../simulator.js';
import type { Device } from '../world/account.js';
import { memoryAuth } from './memory-auth.js';
import { quiet } from './quiet.js';
import { until } from './until.js';

/** One event of Baileys as it was emitted. */
export interface EmittedEvent {
  readonly event: keyof BaileysEventMap;
  readonly data: unknown;
}

/** An unmodified Baileys client of the simulator, with its state in memory. */
export class Client {
  readonly #simulator: Simulator;
  readonly #config: Partial<UserFacingSocketConfig>;
  readonly auth: AuthenticationState;
  /** All events that Baileys has emitted, including `connection.update` and `creds.update`, oldest first. */
  readonly events: EmittedEvent[] = [];
  /** The codes with which connections have closed, oldest first. */
  readonly closeCodes: (number | undefined)[] = [];
  #closesSeen = 0;
  #sock: WASocket | undefined;
  #state: Partial<ConnectionState> = {};

  /** Trusts the simulator's root key in the whole process: use one simulator at a time, or one root key for all. */
  constructor(simulator: Simulator, config: Partial<UserFacingSocketConfig> = {}, auth = memoryAuth()) {
    this.#simulator = simulator;
    this.#config = config;
    this.auth = auth;
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey, 'hex');
  }

  /** A client that is linked to the phone, by QR code, and open. */
  static async linked(
    simulator: Simulator,
    phone: Phone,
    config: Partial<UserFacingSocketConfig> = {},
  ): Promise<Client> {
    const client = new Client(simulator, config);
    await client.link(phone);
    return client;
  }

  /** Links it to the phone, by QR code. Resolves when it is open. */
  async link(phone: Phone): Promise<void> {
    this.connect();
    await phone.scan(await this.qr());
    await this.closed();
    this.connect();
    await this.open();
    await this.message(({ message }) => message?.protocolMessage?.historySyncNotification?.chunkOrder === 1);
    // The history may arrive before or after its message.
    await until('the last of the history', () => this.#histories.some(({ chunkOrder }) => chunkOrder === 1));
  }

  get sock(): WASocket {
    if (!this.#sock) throw new Error('connect first');
    return this.#sock;
  }

  /** The simulator's view of this client. */
  get device(): Device {
    const device = this.#simulator.world.device(this.auth.creds.me?.id ?? '');
    if (!device) throw new Error('the client is not linked');
    return device;
  }

  /** Opens a connection with the present credentials. */
  connect(): void {
    const sock = makeWASocket({
      waWebSocketUrl: this.#simulator.url,
      auth: this.auth,
      logger: quiet,
      markOnlineOnConnect: false,
      ...this.#config,
    });
    this.#state = {};
    this.#sock = sock;
    sock.ev.process((batch) => {
      for (const [event, data] of Object.entries(batch)) {
        this.events.push({ event: event as keyof BaileysEventMap, data: structuredCopy(data) });
      }
      if (batch['creds.update']) Object.assign(this.auth.creds, batch['creds.update']);
      const update = batch['connection.update'];
      if (!update) return;
      Object.assign(this.#state, update);
      if (update.connection === 'close') this.closeCodes.push(statusCode(update.lastDisconnect?.error));
    });
  }

  async qr(): Promise<string> {
    return await until('a QR code', () => this.#state.qr);
  }

  /** Resolves when the connection is open and what waited for it has been handled. */
  async open(): Promise<void> {
    await until('an open connection', () => {
      return this.#state.connection === 'open' && this.#state.receivedPendingNotifications === true;
    });
    // Baileys holds events back until the history of a first login has been handled, at most 20 s.
    await until('the end of the first sync', () => this.auth.creds.accountSyncCounter > 0, 30_000);
  }

  /** Resolves with the code of the next close that this method has not answered yet. */
  async closed(timeoutMs?: number): Promise<number | undefined> {
    await until('a closed connection', () => this.closeCodes.length > this.#closesSeen, timeoutMs);
    this.#closesSeen += 1;
    return this.closeCodes[this.#closesSeen - 1];
  }

  /** Cuts the connection as a process crash would: without a close, and without handling what has arrived. */
  kill(): void {
    this.sock.ev.removeAllListeners('connection.update');
    this.sock.ws.removeAllListeners();
    void this.sock.end(undefined);
    this.#state = {};
  }

  async end(): Promise<void> {
    await this.#sock?.end(undefined);
  }

  /** The messages of `messages.upsert` so far. */
  get messages(): readonly WAMessage[] {
    return this.events.flatMap(({ event, data }) =>
      event === 'messages.upsert' ? (data as BaileysEventMap['messages.upsert']).messages : [],
    );
  }

  get #histories(): readonly BaileysEventMap['messaging-history.set'][] {
    return this.events.flatMap(({ event, data }) =>
      event === 'messaging-history.set' ? [data as BaileysEventMap['messaging-history.set']] : [],
    );
  }

  /** The last status that `messages.update` has given for a message. */
  statusOf(id: string | null | undefined): number | null | undefined {
    return this.events
      .flatMap(({ event, data }) => (event === 'messages.update' ? (data as WAMessageUpdate[]) : []))
      .findLast(({ key }) => key.id === id)?.update.status;
  }

  /** Resolves with the first matching message, emitted before or after this call. */
  async message(predicate: (message: WAMessage) => boolean): Promise<WAMessage> {
    return await until('a message', () => this.messages.find(predicate));
  }

  /** The first text message with this text. */
  async text(text: string): Promise<WAMessage> {
    return await this.message(
      ({ message }) => (message?.conversation ?? message?.extendedTextMessage?.text) === text,
    );
  }
}

function statusCode(error: Error | undefined): number | undefined {
  return error && 'output' in error ? (error.output as { statusCode: number }).statusCode : undefined;
}

/** The event in its JSON form, as consumers that serialise it see it. */
function structuredCopy(data: unknown): unknown {
  return data === undefined ? undefined : JSON.parse(JSON.stringify(data));
}
