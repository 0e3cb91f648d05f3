import type { FastifyInstance } from 'fastify';
import { AccountLimits } from './account-limits/account-limits.js';
import { AccountSettings } from './app-state/account-settings.js';
import { BusinessDirectory } from './business/business-directory.js';
import { Switchboard } from './calls/switchboard.js';
import { ChannelDirectory } from './channels/channel-directory.js';
import { addControlApi } from './control/control-api.js';
import type { ControlledSimulator } from './control/controlled-simulator.js';
import { addHealthRoute } from './control/health-route.js';
import { addMockPhoneRoute } from './control/mock-phone.js';
import { features } from './features.js';
import { GroupDirectory } from './groups/group-directory.js';
import { PhoneHistory } from './history/phone-history.js';
import { ClientVersions } from './login/client-versions.js';
import { Gate } from './login/gate.js';
import { addVersionPage } from './login/version-page.js';
import { MediaStore } from './media/media-store.js';
import { UploadDesk } from './media/upload-desk.js';
import { Inbox } from './messages/inbox.js';
import { Outbox } from './messages/outbox.js';
import { Pictures } from './notifications/pictures.js';
import { PairingCodes } from './pairing-code/pairing-codes.js';
import { PasskeyLinks } from './passkey/passkey-links.js';
import { Phone, type PhoneOptions, type PhoneServer } from './phone/phone.js';
import { PresenceBoard } from './presence/presence-board.js';
import { Registry } from './server/registry.js';
import { type SimulatorLogger, silentLogger } from './silent-logger.js';
import { Arrivals } from './transport/arrivals.js';
import { makeServerIdentity, rootKeyPair } from './transport/certificate.js';
import type { CloseCause } from './transport/close-cause.js';
import { Connection } from './transport/connection.js';
import { Listener } from './transport/listener.js';
import { unixSeconds } from './unix-seconds.js';
import type { Account, Device } from './world/account.js';
import { Companion } from './world/companion.js';
import { PerAccount } from './world/per-account.js';
import { World } from './world/world.js';

export interface SimulatorOptions {
  /** Default: 0, which takes a free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Whether `url` uses wss. The port always answers ws, wss, http and https, regardless of this option. */
  readonly tls?: boolean;
  /** The private key, in hex, of the certificate root. Default: a new one. Clients trust its public key. */
  readonly rootKey?: string;
  /** Default: a silent logger. */
  readonly logger?: SimulatorLogger;
  /**
   * How long one QR code of a client can be scanned after the one before it has expired. The first lives three times
   * as long. Default: 20 s, as in WhatsApp Web.
   */
  readonly qrTtlMs?: number;
  /**
   * How long phones take to confirm a message. Default: 250 ms, because Baileys merges a receipt that comes sooner into
   * its own message's event.
   */
  readonly receiptDelayMs?: number;
  /**
   * Whether phones send history as files of the media host, and clients get whole collections of app-state as such
   * files. Clients look for them at mmg.whatsapp.net, so they need a proxy that leads that name here. Default: false.
   */
  readonly syncsByFile?: boolean;
  /** Called for each connection request of a client, whether it is accepted or not. */
  readonly onUpgrade?: () => void;
}

/** Limit for all files of the media host together. */
const maxMediaBytes = 512 * 1024 * 1024;

/** A WhatsApp multi-device server, and the people who use it. */
export class Simulator implements ControlledSimulator, PhoneServer {
  readonly world = new World<Phone>();
  readonly registry = new Registry(features);
  readonly gate = new Gate(this, this.registry);
  readonly groups = new GroupDirectory<Phone>(this.world);
  readonly channels = new ChannelDirectory();
  readonly businesses = new BusinessDirectory();
  readonly calls = new Switchboard();
  readonly presence = new PresenceBoard();
  readonly passkeyLinks = new PasskeyLinks(this);
  readonly pairingCodes = new PairingCodes((phone, client, advSecret) =>
    this.passkeyLinks.link(phone, client, advSecret),
  );
  /** The versions of WhatsApp Web that the server takes, and the one that it names as the newest. */
  readonly clientVersions = new ClientVersions();
  /** The files of the media host. */
  readonly media = new MediaStore(maxMediaBytes);
  /** Which uploads the media host takes. */
  readonly uploads = new UploadDesk();
  /** Where clients came from. */
  readonly arrivals = new Arrivals();
  readonly pictures = new Pictures(this);
  /** What WhatsApp lets accounts write. */
  readonly limits = new PerAccount((phone) => new AccountLimits(phone));
  readonly inboxes: PerAccount<Inbox> = new PerAccount(
    (phone) =>
      new Inbox(phone, this, (message) => this.registry.phoneMessage(message, { simulator: this, phone })),
  );
  readonly outboxes = new PerAccount((phone) => new Outbox(phone, this));
  readonly histories = new PerAccount((phone) => new PhoneHistory(phone, this));
  readonly settings = new PerAccount((phone) => new AccountSettings(phone));
  readonly logger: SimulatorLogger;
  readonly qrTtlMs: number;
  readonly receiptDelayMs: number;
  readonly syncsByFile: boolean;
  /** The public key, in hex, that clients must trust (`WA_CERT_DETAILS.PUBLIC_KEY` of Baileys). */
  readonly rootKey: string;
  readonly #listener: Listener;
  readonly #host: string;
  readonly #tls: boolean;
  readonly #connections = new Set<Connection>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #loginRefusals = new Map<Account | undefined, number>();
  readonly #messageRefusals = new Map<Account | undefined, { readonly error: number; left: number }>();
  readonly #ackFaults = new Map<Account, 'lost' | 'cut'>();
  readonly #requestRefusals = new Map<string, number>();
  readonly #withheldAnswers = new Map<string, (() => void)[]>();
  #upgradeRefusal: number | undefined;
  #silent = false;
  #port = 0;

  constructor(options: SimulatorOptions = {}) {
    const { port = 0, host = '127.0.0.1', tls = false, rootKey, logger } = options;
    this.logger = logger ?? silentLogger;
    this.qrTtlMs = options.qrTtlMs ?? 20_000;
    this.receiptDelayMs = options.receiptDelayMs ?? 250;
    this.syncsByFile = options.syncsByFile ?? false;
    this.#host = host;
    this.#tls = tls;
    const root = rootKeyPair(rootKey);
    this.rootKey = Buffer.from(root.public).toString('hex');
    const identity = makeServerIdentity(root);
    this.#listener = new Listener({
      host,
      port,
      refuseUpgrade: (request) => {
        this.arrivals.note('socket', request);
        options.onUpgrade?.();
        return this.#upgradeRefusal;
      },
      onSocket: (socket) => {
        const connection = new Connection(socket, identity, this.gate, this.logger, () => this.#silent);
        this.#connections.add(connection);
        socket.once('close', () => this.#connections.delete(connection));
      },
    });
    const routes = [addControlApi, addMockPhoneRoute, addHealthRoute, addVersionPage];
    for (const add of [...routes, ...features.flatMap((feature) => feature.routes ?? [])]) {
      this.http.register(async (app) => add(app, this));
    }
  }

  /** Resolves when clients can connect; rejects if the port is taken. */
  async start(): Promise<void> {
    this.#port = await this.#listener.start();
    this.logger.info({ url: this.url, rootKey: this.rootKey }, 'simulator listens');
  }

  /** Cuts all connections. Accounts and queues stay in memory, but a stopped simulator cannot be restarted. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    await this.#listener.stop();
  }

  /** Where clients connect (`waWebSocketUrl` of Baileys). */
  get url(): string {
    return `${this.#tls ? 'wss' : 'ws'}://${this.#host}:${this.port}/ws/chat`;
  }

  /** The certificate of https and wss in PEM: self-signed, also in the names of WhatsApp's hosts. */
  certificate(): Promise<string> {
    return this.#listener.certificate();
  }

  /** The port; known after `start`. */
  get port(): number {
    return this.#port;
  }

  /** `host:port` for clients, the same for every protocol. */
  get host(): string {
    return `${this.#host}:${this.port}`;
  }

  /** The HTTP routes of the same port. More can be added before `start`. */
  get http(): FastifyInstance {
    return this.#listener.http;
  }

  /** How many clients are connected, linked or not. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Creates a person with a phone. Throws if the number is taken. */
  addPhone({ number = this.world.freeNumber(), ...rest }: PhoneOptions): Phone {
    if (!/^\d{7,15}$/.test(number)) throw new Error(`not a phone number: ${number} (7 to 15 digits)`);
    const phone = new Phone(this, { number, ...rest });
    this.world.add(phone);
    return phone;
  }

  /** Closes the connection of one device, or of all devices of a phone. */
  disconnect(target: Account | Device, cause: CloseCause): void {
    const devices = target instanceof Companion ? [target] : target.devices.values();
    for (const device of devices) device.close(cause);
  }

  /** Closes every connection. */
  disconnectAll(cause: CloseCause): void {
    for (const connection of [...this.#connections]) connection.close(cause);
  }

  /** Answers logins of one phone's devices, or all, with `<failure reason>`. Holds until `acceptLogins` or `resume`. */
  refuseLogins(reason: number, phone?: Account): void {
    this.#loginRefusals.set(phone, reason);
  }

  /** Ends `refuseLogins` for one phone, or the one that holds for all phones. */
  acceptLogins(phone?: Account): void {
    this.#loginRefusals.delete(phone);
  }

  /**
   * Answers messages with `<ack error>` and drops them: those of one phone's devices, or all. Holds until `resume`, or for
   * a number of messages.
   */
  refuseMessages(error: number, phone?: Account, { count = Number.POSITIVE_INFINITY } = {}): void {
    this.#messageRefusals.set(phone, { error, left: count });
  }

  /**
   * Messages of this phone's devices are delivered but not acknowledged. `cut` also breaks the connection. Holds until
   * `resume`.
   */
  breakAcks(fault: 'lost' | 'cut', phone: Account): void {
    this.#ackFaults.set(phone, fault);
  }

  /** Answers requests (iq) whose first child has this tag with `<error code>`. Holds until `resume`. */
  refuseRequests(tag: string, code: number): void {
    this.#requestRefusals.set(tag, code);
  }

  /** The code with which to refuse a request, if any. */
  requestRefusal(tag: string): number | undefined {
    return this.#requestRefusals.get(tag);
  }

  /** Handles requests (iq) whose first child has this tag, and sends their answers at `resume`. */
  withholdAnswers(tag: string): void {
    this.#withheldAnswers.set(tag, []);
  }

  /** How many answers are withheld now. */
  get withheldCount(): number {
    return [...this.#withheldAnswers.values()].reduce((count, { length }) => count + length, 0);
  }

  /** Sends the answer to a request of this tag, at `resume` if such answers are withheld. */
  sendAnswer(tag: string, send: () => void): void {
    const withheld = this.#withheldAnswers.get(tag);
    if (withheld === undefined) send();
    else withheld.push(send);
  }

  /** Answers WebSocket upgrades with this HTTP status and `Connection: close`, until `resume`. */
  rejectUpgrades(status: number): void {
    this.#upgradeRefusal = status;
  }

  /** Sends nothing and drops what clients send, but keeps connections open. Holds until `resume`. */
  goSilent(): void {
    this.#silent = true;
  }

  /**
   * Ends `goSilent`, `rejectUpgrades`, `refuseLogins`, `refuseMessages`, `breakAcks`, `refuseRequests`,
   * `withholdAnswers` and what was set in `clientVersions`. What devices missed is delivered at their next login.
   */
  resume(): void {
    this.#silent = false;
    this.#upgradeRefusal = undefined;
    this.#loginRefusals.clear();
    this.#messageRefusals.clear();
    this.#ackFaults.clear();
    this.#requestRefusals.clear();
    for (const send of [...this.#withheldAnswers.values()].flat()) send();
    this.#withheldAnswers.clear();
    this.clientVersions.reset();
  }

  /** The reason with which to refuse a login of this phone's devices, if any. */
  loginRefusal(phone: Account): number | undefined {
    return this.#loginRefusals.get(phone) ?? this.#loginRefusals.get(undefined);
  }

  /** The error with which to answer the message that a device of this phone has sent, if any. */
  messageRefusal(phone: Account): number | undefined {
    const refusal = this.#messageRefusals.get(phone) ?? this.#messageRefusals.get(undefined);
    if (refusal === undefined || refusal.left === 0) return undefined;
    refusal.left -= 1;
    return refusal.error;
  }

  /** The fault that applies to acknowledgements of messages of this phone's devices, if any. */
  ackFault(phone: Account): 'lost' | 'cut' | undefined {
    return this.#ackFaults.get(phone);
  }

  /** Seconds since 1970. */
  now(): number {
    return unixSeconds();
  }

  /** Runs a task after a delay, unless the simulator is stopped before. */
  later(ms: number, task: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      task();
    }, ms);
    this.#timers.add(timer);
  }
}
