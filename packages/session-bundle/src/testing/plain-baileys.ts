import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Phone, Simulator } from '@wafleet/simulator';
import {
  type ConnectionState,
  makeWASocket,
  proto,
  useMultiFileAuthState,
  WA_CERT_DETAILS,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys';
import type { ILogger } from '@whiskeysockets/baileys/lib/Utils/logger.js';

const ignore = (): void => undefined;
const quiet: ILogger = {
  level: 'silent',
  child: () => quiet,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
};
const RESTART_REQUIRED = 515;
const PATIENCE_MS = 30_000;

/**
 * A program that uses Baileys as its documentation shows, with its credentials in a folder: what people move to Wafleet.
 */
export class PlainBaileys {
  readonly folder: string;
  readonly #simulator: Simulator;
  readonly #messages: WAMessage[] = [];
  #state: Partial<ConnectionState> = {};
  #sock: WASocket | undefined;
  #saved: Promise<void> = Promise.resolve();
  #hasEnded = false;

  /** Trusts the simulator's root key in the whole process: use one simulator at a time, or one root key for all. */
  constructor(simulator: Simulator, folder: string) {
    this.#simulator = simulator;
    this.folder = folder;
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey, 'hex');
  }

  /** The code that WhatsApp closed the last connection with. */
  get closeCode(): number | undefined {
    const error = this.#state.lastDisconnect?.error;
    return error !== undefined && 'output' in error ? error.output.statusCode : undefined;
  }

  get sock(): WASocket {
    if (this.#sock === undefined) throw new Error('connect first');
    return this.#sock;
  }

  /** Links it to the phone by QR code. Resolves when it is open and has its first state. */
  async link(phone: Phone): Promise<void> {
    await this.#connect();
    await phone.scan(await this.#until('a QR code', () => this.#state.qr));
    await this.#until('the restart after the link', () => this.closeCode === RESTART_REQUIRED);
    await this.open();
  }

  /** Connects with what the folder has. Resolves when it is open. */
  async open(): Promise<void> {
    this.#hasEnded = false;
    const creds = await this.#connect();
    await this.#until('an open connection', () => this.#state.receivedPendingNotifications === true);
    await this.#until('the first sync', () => creds.accountSyncCounter > 0);
  }

  /** Resolves once a text has come. */
  async receive(text: string): Promise<void> {
    await this.#until(`the text ${text}`, () =>
      this.#messages.some(
        ({ message }) => (message?.conversation ?? message?.extendedTextMessage?.text) === text,
      ),
    );
  }

  /** Ends the connection as a program does that is stopped, and waits until everything is stored. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#sock?.end(undefined);
    // Baileys writes files without telling when they are written.
    await delay(200);
    await this.#saved;
  }

  /** The files of its folder: their texts by their names. */
  async files(): Promise<Record<string, string>> {
    const names = (await readdir(this.folder)).sort();
    const texts = await Promise.all(
      names.map(async (name) => [name, await readFile(join(this.folder, name), 'utf8')] as const),
    );
    return Object.fromEntries(texts);
  }

  async #connect() {
    const { state, saveCreds } = await useMultiFileAuthState(this.folder);
    const sock = makeWASocket({
      waWebSocketUrl: this.#simulator.url,
      auth: state,
      logger: quiet,
      markOnlineOnConnect: false,
    });
    this.#sock = sock;
    this.#state = {};
    sock.ev.on('creds.update', () => {
      this.#saved = this.#saved.then(saveCreds);
    });
    sock.ev.on('connection.update', (update) => Object.assign(this.#state, update));
    sock.ev.on('messages.upsert', ({ messages }) => {
      // Copied: Baileys changes messages afterwards.
      this.#messages.push(
        ...messages.map((message) => proto.WebMessageInfo.fromObject(message) as WAMessage),
      );
    });
    return state.creds;
  }

  async #until<T>(what: string, ask: () => T | undefined | false): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const answer = ask();
      if (answer !== undefined && answer !== false) return answer;
      if (performance.now() > deadline || this.#hasEnded) throw new Error(`it did not come: ${what}`);
      await delay(10);
    }
  }
}
