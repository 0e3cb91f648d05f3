import type { FastifyInstance } from 'fastify';
import { Switchboard } from './calls/switchboard.js';
import { GroupDirectory } from './groups/group-directory.js';
import { features } from './iq/features.js';
import { Registry } from './iq/registry.js';
import { Gate } from './login/gate.js';
import { MediaStore } from './media/media-store.js';
import { Pictures } from './notifications/pictures.js';
import { PairingCodes } from './pairing-code/pairing-codes.js';
import { PresenceBoard } from './presence/presence-board.js';
import { type SimulatorLogger, silentLogger } from './silent-logger.js';
import { makeServerIdentity, rootKeyPair } from './transport/certificate.js';
import type { CloseCause } from './transport/close-cause.js';
import { Connection } from './transport/connection.js';
import { Listener } from './transport/listener.js';
import { Device } from './world/device.js';
import { Phone, type PhoneOptions } from './world/phone.js';
import { World } from './world/world.js';

export interface SimulatorOptions {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** Whether `url` says wss. The port answers ws and wss, http and https alike, whatever this says. */
  readonly tls?: boolean;
  /** The private key, in hex, of the certificate root; a new one unless told. Clients trust its public key. */
  readonly rootKey?: string;
  /** A silent one unless told. */
  readonly logger?: SimulatorLogger;
  /** How long one QR code of a client can be scanned after the one before it has expired; the first lives three times as long. 20 s unless told, as WhatsApp Web has it. */
  readonly qrTtlMs?: number;
  /** How long phones take to confirm a message. 250 ms unless told: Baileys merges a receipt that comes sooner into its own message's event. */
  readonly receiptDelayMs?: number;
  /** Called whenever a client asks for a connection, whether it gets one or not. */
  readonly onUpgrade?: () => void;
}

/** Bound on the files of the media host together. */
const maxMediaBytes = 512 * 1024 * 1024;

/** A WhatsApp multi-device server with the people who use it. */
export class Simulator {
  readonly world = new World();
  readonly registry = new Registry(features);
  readonly gate: Gate = new Gate(this);
  readonly groups = new GroupDirectory(this.world);
  readonly calls = new Switchboard();
  readonly presence = new PresenceBoard();
  readonly pairingCodes = new PairingCodes();
  /** The files of the media host. */
  readonly media = new MediaStore(maxMediaBytes);
  readonly pictures = new Pictures(this.media);
  readonly logger: SimulatorLogger;
  readonly qrTtlMs: number;
  readonly receiptDelayMs: number;
  /** The public key, in hex, that clients must trust (`WA_CERT_DETAILS.PUBLIC_KEY` of Baileys). */
  readonly rootKey: string;
  readonly #listener: Listener;
  readonly #host: string;
  readonly #tls: boolean;
  readonly #connections = new Set<Connection>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #loginRefusals = new Map<Phone | undefined, number>();
  readonly #messageRefusals = new Map<Phone | undefined, number>();
  readonly #ackFaults = new Map<Phone, 'lost' | 'cut'>();
  readonly #requestRefusals = new Map<string, number>();
  #upgradeRefusal: number | undefined;
  #silent = false;
  #port = 0;

  constructor(options: SimulatorOptions = {}) {
    const { port = 0, host = '127.0.0.1', tls = false, rootKey, logger } = options;
    this.logger = logger ?? silentLogger;
    this.qrTtlMs = options.qrTtlMs ?? 20_000;
    this.receiptDelayMs = options.receiptDelayMs ?? 250;
    this.#host = host;
    this.#tls = tls;
    const root = rootKeyPair(rootKey);
    this.rootKey = Buffer.from(root.public).toString('hex');
    const identity = makeServerIdentity(root);
    this.#listener = new Listener({
      host,
      port,
      refuseUpgrade: () => {
        options.onUpgrade?.();
        return this.#upgradeRefusal;
      },
      onSocket: (socket) => {
        const connection = new Connection(socket, identity, this.gate, this.logger, () => this.#silent);
        this.#connections.add(connection);
        socket.once('close', () => this.#connections.delete(connection));
      },
    });
    for (const { routes } of features) {
      if (routes) this.http.register(async (app) => routes(app, this));
    }
  }

  /** Resolves when clients can connect; rejects when the port is taken. */
  async start(): Promise<void> {
    this.#port = await this.#listener.start();
    this.logger.info({ url: this.url, rootKey: this.rootKey }, 'simulator listens');
  }

  /** Cuts all connections. Accounts and queues stay in memory, but a stopped simulator does not start again. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#listener.stop();
  }

  /** Where clients connect (`waWebSocketUrl` of Baileys). */
  get url(): string {
    return `${this.#tls ? 'wss' : 'ws'}://${this.#host}:${this.port}/ws/chat`;
  }

  /** The port; known after `start`. */
  get port(): number {
    return this.#port;
  }

  /** `host:port`, as clients reach it by whichever protocol. */
  get host(): string {
    return `${this.#host}:${this.port}`;
  }

  /** The same port's HTTP routes; more can be added before `start`. */
  get http(): FastifyInstance {
    return this.#listener.http;
  }

  /** How many clients are connected, linked or not. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A new person with a phone. Throws when the number is taken. */
  addPhone({ number = this.world.freeNumber(), ...rest }: PhoneOptions): Phone {
    if (!/^\d{7,15}$/.test(number)) throw new Error(`not a phone number: ${number} (7 to 15 digits)`);
    const phone = new Phone(this, { number, ...rest });
    this.world.add(phone);
    return phone;
  }

  /** Closes the connection of one device, or of all devices of a phone. */
  disconnect(target: Phone | Device, cause: CloseCause): void {
    const devices = target instanceof Device ? [target] : target.devices.values();
    for (const device of devices) device.close(cause);
  }

  /** Closes every connection. */
  disconnectAll(cause: CloseCause): void {
    for (const connection of [...this.#connections]) connection.close(cause);
  }

  /** Answers logins with `<failure reason>`: those of one phone's devices, or all. Holds until `acceptLogins` or `resume`. */
  refuseLogins(reason: number, phone?: Phone): void {
    this.#loginRefusals.set(phone, reason);
  }

  /** Ends `refuseLogins` for one phone, or what holds for all. */
  acceptLogins(phone?: Phone): void {
    this.#loginRefusals.delete(phone);
  }

  /** Answers messages with `<ack error>` and drops them: those of one phone's devices, or all. Holds until `resume`. */
  refuseMessages(error: number, phone?: Phone): void {
    this.#messageRefusals.set(phone, error);
  }

  /**
   * Messages of this phone's devices are delivered and not acknowledged; `cut` also breaks the connection. Holds until
   * `resume`.
   */
  breakAcks(fault: 'lost' | 'cut', phone: Phone): void {
    this.#ackFaults.set(phone, fault);
  }

  /** Answers requests (iq) whose first child has this tag with `<error code>`. Holds until `resume`. */
  refuseRequests(tag: string, code: number): void {
    this.#requestRefusals.set(tag, code);
  }

  /** The code to refuse a request with, if there is one. */
  requestRefusal(tag: string): number | undefined {
    return this.#requestRefusals.get(tag);
  }

  /** Answers WebSocket upgrades with this HTTP status and `Connection: close`, until `resume`. */
  rejectUpgrades(status: number): void {
    this.#upgradeRefusal = status;
  }

  /** From now on nothing is sent and what clients send is dropped; connections stay open. Until `resume`. */
  goSilent(): void {
    this.#silent = true;
  }

  /** Ends `goSilent`, `rejectUpgrades`, `refuseLogins`, `refuseMessages`, `breakAcks` and `refuseRequests`. What devices missed waits for their next login. */
  resume(): void {
    this.#silent = false;
    this.#upgradeRefusal = undefined;
    this.#loginRefusals.clear();
    this.#messageRefusals.clear();
    this.#ackFaults.clear();
    this.#requestRefusals.clear();
  }

  /** The reason to refuse a login of this phone's devices with, if there is one. */
  loginRefusal(phone: Phone): number | undefined {
    return this.#loginRefusals.get(phone) ?? this.#loginRefusals.get(undefined);
  }

  /** The error to answer messages of this phone's devices with, if there is one. */
  messageRefusal(phone: Phone): number | undefined {
    return this.#messageRefusals.get(phone) ?? this.#messageRefusals.get(undefined);
  }

  /** What becomes of the acknowledgement of a message of this phone's devices, if it does not arrive. */
  ackFault(phone: Phone): 'lost' | 'cut' | undefined {
    return this.#ackFaults.get(phone);
  }

  /** Seconds since 1970. */
  now(): number {
    return Math.floor(Date.now() / 1000);
  }

  /** Runs a task after a while, unless the simulator is stopped before. */
  later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, ms);
    this.#timers.add(timer);
  }
}
