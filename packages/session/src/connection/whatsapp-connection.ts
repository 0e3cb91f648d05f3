import type { LinkProblemCode } from '@wafleet/contract';
import type { ProxyRoute } from '@wafleet/egress';
import { withTimeout } from '@wafleet/runtime';
import type {
  BaileysEventMap,
  BinaryNode,
  ConnectionState,
  proto,
  WABrowserDescription,
  WASocket,
} from '@whiskeysockets/baileys';
import type { Account } from '../auth/account.js';
import { keepEventsApart } from '../baileys/patches/event-merging.js';
import { QrRound } from '../baileys/patches/qr-round.js';
import { shareRetryMemory } from '../baileys/patches/shared-retry-memory.js';
import { rejectQueriesAtEnd } from '../baileys/pending-queries.js';
import { makeWholeSocket } from '../baileys/whole-socket.js';
import { KnownGroups } from '../caches/known-groups.js';
import { StanzaDetails } from '../identity/stanza-details.js';
import { InboundPipeline } from '../inbound/inbound-pipeline.js';
import type { MessageDeduplicator } from '../inbound/message-deduplicator.js';
import { MissingContents } from '../inbound/missing-contents.js';
import type { DisconnectCause } from '../mapping/connection.js';
import type { Outbox } from '../outbox/outbox.js';
import { PasskeyCeremony } from '../passkey/passkey-ceremony.js';
import type { PasskeyTimes } from '../passkey/passkey-times.js';
import { ackNode } from '../passkey/stanzas.js';
import { catchUpAppState } from './app-state-catch-up.js';
import { removeCompanion } from './companion-requests.js';
import type { ConnectPermit } from './connect-permit.js';
import { causeOf, QR_CODES_USED_UP } from './disconnects.js';
import { LinkStanzas } from './link-stanzas.js';
import type { SentMessages } from './sent-messages.js';
import { routedConnections, type SessionProxy } from './session-proxy.js';
import type { SilenceDetector } from './silence-detector.js';
import { type SocketResources, socketSettings } from './socket-settings.js';
import { SocketValve } from './socket-valve.js';
import type { StatusResends } from './status-resends.js';
import { Transport } from './transport.js';

/** How long a drain waits for the message that is being decrypted. */
const IN_FLIGHT_MS = 2_000;
/**
 * After a login Baileys holds events back, up to 20 s until the history sync begins and 30 s in all, though their
 * messages are acknowledged. The events are flushed from its buffer at this interval, until that time is over.
 */
const FLUSH_MS = 250;
const FLUSH_FOR_MS = 60_000;
/** How long a server may take to confirm that the connection closes. */
const CLOSE_MS = 1_000;
/**
 * How much longer than a link may take a connection is kept after a pairing code was typed. The session ends a link that
 * takes too long before that, and says why.
 */
const CODE_MARGIN_MS = 10_000;

/** What the connections of a session use. All of it outlives a connection. */
export interface ConnectionResources extends SocketResources {
  /**
   * Whether it is certain that this process owns the session. While it returns false, the socket neither reads nor
   * sends.
   */
  readonly isOwnershipCertain: () => boolean;
  /** How long a connection may take to become open or to show a QR code. */
  readonly connectTimeoutMs: number;
  /** How long each QR code lives. Default: WhatsApp's own 60 s for the first and 20 s for each later one. */
  readonly qrLifeMs: number | undefined;
  /** How long a link may take after its pairing code was typed, or after WhatsApp has made it. */
  readonly linkAfterCodeMs: number;
  readonly passkeyTimes: PasskeyTimes;
  /** Receives everything that WhatsApp sends. */
  readonly quiet: SilenceDetector;
  readonly deduplicator: MessageDeduplicator;
  readonly outbox: Outbox;
  /** Leads to WhatsApp. */
  readonly proxy: SessionProxy;
  /** The messages that this account sent, for a receiver that could not decrypt one. */
  readonly sentMessages: SentMessages;
  /** Sends statuses again, in place of Baileys. */
  readonly statuses: Pick<StatusResends, 'take'>;
  readonly listener: ConnectionListener;
}

/** Receives what a connection emits. */
export interface ConnectionListener {
  /** Receives everything Baileys emits, in order. One call for each flush of its buffer. */
  receive(connection: WhatsAppConnection, events: Partial<BaileysEventMap>): void;
  /** WhatsApp no longer accepts this connection's codes for linking. A new connection gets new codes. */
  linkRefreshed(connection: WhatsAppConnection): void;
  /** A pairing code was typed into the phone. Whether it is the right one is not known yet. */
  codeEntered(connection: WhatsAppConnection): void;
  /** Another pairing code was typed into the phone than the one that is shown. */
  codeRefused(connection: WhatsAppConnection): void;
  /** A link by passkey has begun over this connection, or has come further. */
  passkeyChanged(connection: WhatsAppConnection): void;
  /** It has failed. A new connection can begin again. */
  passkeyFailed(connection: WhatsAppConnection, code: LinkProblemCode, message: string): void;
}

/** What one connection alone uses. */
interface ConnectionParts {
  readonly account: Account;
  readonly permit: ConnectPermit;
  /** Messages to process first, as if WhatsApp had just sent them. */
  readonly leftOver: readonly BinaryNode[];
}

/**
 * One connection to WhatsApp: a Baileys socket with the settings that a session needs, from its first byte to its
 * `close` event. It never reconnects; a session creates a new one.
 */
export class WhatsAppConnection {
  readonly socket: WASocket;
  /** What the client says of itself when it is linked. It holds for the whole connection. */
  readonly browser: WABrowserDescription;
  /** The link by passkey, if WhatsApp demands one. */
  readonly passkey: PasskeyCeremony;
  /** Whether the session was linked to a phone before this connection began. */
  readonly beganLinked: boolean;
  /** Whether Baileys shows the account as online at the login. */
  readonly beganOnline: boolean;
  readonly #resources: ConnectionResources;
  readonly #permit: ConnectPermit;
  readonly #route: ProxyRoute | undefined;
  readonly #proxyVersion: number;
  /** Whether an earlier connection received the key that the app state is read with. */
  readonly #beganWithAppStateKey: boolean;
  readonly #inbound: InboundPipeline;
  readonly #valve: SocketValve;
  readonly #transport: Transport;
  readonly #qrRound: QrRound;
  readonly #linkStanzas: LinkStanzas;
  readonly #watchdog: NodeJS.Timeout;
  readonly #flusher: NodeJS.Timeout;
  #isEnded = false;
  #cause: DisconnectCause | undefined;
  #drained: Promise<void> | undefined;
  #muted = false;
  /** The `close` event was emitted. */
  #isOver = false;

  /**
   * @throws {ProxyUrlError} if the session's proxy cannot be used.
   * @throws the errors of Baileys or of the parts of a connection. Nothing is left open then.
   */
  constructor(resources: ConnectionResources, { account, permit, leftOver }: ConnectionParts) {
    this.#resources = resources;
    this.#permit = permit;
    const { caches, journal, deduplicator, outbox, people, sentMessages, statuses, logger } = resources;
    deduplicator.forget();
    const knownGroups = new KnownGroups({ cache: caches.groups, people });
    this.#proxyVersion = resources.proxy.version;
    this.#route = resources.proxy.openRoute();
    this.beganOnline = resources.inForce.settings.online;
    const settings = socketSettings(resources, { version: permit.version, route: this.#route });
    this.browser = settings.browser;
    const socket = makeWholeSocket({
      ...settings,
      auth: account.auth(
        () => this.#isAlive,
        () => {
          this.#inbound.cut();
          this.endWith({ statusCode: 500, message: 'keys could not be read or stored' });
        },
      ),
      getMessage: async (key) =>
        statuses.take(this.socket, key) ? undefined : sentMessages.findInTime(key.id, () => this.#isAlive),
      cachedGroupMetadata: (id) => knownGroups.find(this.socket, id),
    });
    this.socket = socket;
    rejectQueriesAtEnd(socket);
    this.beganLinked = socket.authState.creds.account !== undefined;
    this.#beganWithAppStateKey = socket.authState.creds.myAppStateKeyId !== undefined;
    try {
      this.#valve = new SocketValve(socket.ws, {
        mayPass: resources.isOwnershipCertain,
        onOverflow: () => this.endWith({ statusCode: 503, message: 'too many bytes were held back' }),
        onUnreadable: (error) => logger.warn({ err: error }, 'a frame from WhatsApp could not be read'),
      });
      // `getMessage` finds what clients send. Baileys also sends requests of its own to the phone.
      const isOwnRequest = (id: string, { protocolMessage }: proto.IMessage) =>
        id !== this.#inbound.idWaitedFor && protocolMessage != null;
      shareRetryMemory(socket.messageRetryManager, caches.retryMemory, isOwnRequest);
      caches.groups.follow(socket.ws);
      keepEventsApart(socket.ev);
      const details = new StanzaDetails(socket, () => socket.authState.creds.me);
      const missing = new MissingContents({
        ...{ socket, logger, deduplicator, outbox, details },
        isMuted: () => this.#muted || this.#isOver,
        onEvents: (events) => this.#receive(events),
      });
      this.#inbound = new InboundPipeline({
        ...{ socket, deduplicator, journal, outbox, missing, details, logger, leftOver },
        isMuted: () => this.#muted,
        isHistoryWanted: settings.shouldSyncHistoryMessage,
      });
      this.#transport = new Transport(socket.ws, (cause) => this.endWith(cause));
      this.#qrRound = new QrRound(socket, {
        browser: this.browser,
        lifeMs: resources.qrLifeMs,
        onUsedUp: () => this.endWith(QR_CODES_USED_UP),
      });
      this.passkey = new PasskeyCeremony({
        socket,
        browser: this.browser,
        saveCreds: () => account.saveCreds(),
        times: resources.passkeyTimes,
        listener: {
          changed: () => {
            this.#qrRound.stop();
            if (this.#isHeard) resources.listener.passkeyChanged(this);
          },
          failed: (code, message) => {
            if (this.#isHeard) resources.listener.passkeyFailed(this, code, message);
          },
        },
      });
      this.#linkStanzas = new LinkStanzas(socket, {
        codeEntered: () => {
          this.#qrRound.hold(resources.linkAfterCodeMs + CODE_MARGIN_MS);
          if (this.#isHeard) resources.listener.codeEntered(this);
        },
        codeRefused: () => {
          if (this.#isHeard) resources.listener.codeRefused(this);
          this.#qrRound.release();
        },
        paired: () => this.#qrRound.finish(resources.linkAfterCodeMs),
      });
      socket.ws.on(
        'CB:notification,type:companion_reg_refresh',
        (stanza: BinaryNode) => void this.#refreshLink(stanza),
      );
      resources.quiet.begin();
      socket.ws.on('frame', (frame: unknown) => resources.quiet.see(frame));
      // Messages in the event buffer were already acknowledged to WhatsApp: without this they would be lost.
      socket.registerSocketEndHandler(() => {
        socket.ev.flush();
      });
      socket.ev.process((events) => this.#receive(events));
    } catch (error) {
      void socket.end(undefined);
      this.#route?.close();
      throw error;
    }
    this.#watchdog = setTimeout(
      () => this.endWith({ statusCode: 408, message: 'WhatsApp did not answer in time' }),
      resources.connectTimeoutMs,
    );
    const flushUntil = Date.now() + resources.connectTimeoutMs + FLUSH_FOR_MS;
    this.#flusher = setInterval(() => {
      if (socket.ev.isBuffering()) socket.ev.flush();
      if (Date.now() <= flushUntil) return;
      clearInterval(this.#flusher);
      deduplicator.forget();
    }, FLUSH_MS);
  }

  /** The version of WhatsApp Web that it reports. */
  get version(): string {
    return this.#permit.version;
  }

  /** Why the connection ended, if this side ended it. Baileys reports no reason of its own in that case. */
  get cause(): DisconnectCause | undefined {
    return this.#cause;
  }

  /** Whether another proxy was set since it began. */
  get hasOldProxy(): boolean {
    return this.#proxyVersion !== this.#resources.proxy.version;
  }

  /** The QR codes of this connection. */
  get qrRound(): Pick<QrRound, 'codeExpiresAt' | 'endsAt'> {
    return this.#qrRound;
  }

  /** Whether WhatsApp has linked this client, over this connection. */
  get isPaired(): boolean {
    return this.#linkStanzas.isPaired;
  }

  /**
   * Reads nothing more from the socket until `resumeReading`. What WhatsApp sends stays unread. It is acknowledged
   * later, or delivered again over another connection. A pause of more than about 30 s ends the connection: Baileys
   * then considers the link dead.
   */
  pauseReading(): void {
    this.#transport.pause();
  }

  resumeReading(): void {
    this.#transport.resume();
  }

  /** Sends nothing until the promise, which must not reject, has settled. Outgoing frames keep their order. */
  holdSends(until: Promise<void>): void {
    this.#valve.holdSends(until);
  }

  /**
   * Ends the connection without waiting for the server: from now on nothing is read and nothing is sent. The `close`
   * event follows, with the given cause. Idempotent.
   */
  endWith(cause: DisconnectCause): void {
    this.#noteCause(cause);
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#valve.shut();
    void this.#inbound.close();
    this.#transport.destroy();
    void this.socket.end(new Error(cause.message));
  }

  /** Ends the connection at once. None of its further events are reported. */
  discard(): void {
    this.#muted = true;
    this.passkey.end();
    clearTimeout(this.#watchdog);
    this.endWith({ statusCode: 428, message: 'discarded' });
  }

  /**
   * Removes this device at WhatsApp if the connection is open, and ends the connection. Resolves when it is closed, to
   * whether WhatsApp has confirmed the removal.
   */
  async logOut({ isOpen }: { isOpen: boolean }): Promise<boolean> {
    this.#muted = true;
    clearTimeout(this.#watchdog);
    let isConfirmed = false;
    try {
      if (isOpen) await removeCompanion(this.socket);
      isConfirmed = isOpen;
    } catch (error) {
      this.#resources.logger.warn({ err: error }, 'WhatsApp did not confirm the logout');
    }
    await this.#endInOrder(undefined);
    return isConfirmed;
  }

  /**
   * Ends the connection so that nothing is lost: finishes the message that is being decrypted, begins no other message
   * (WhatsApp will deliver those again), and hands out what the event buffer holds. Resolves after the `close` event.
   * Idempotent: the first cause counts.
   */
  drain(cause: DisconnectCause): Promise<void> {
    this.#drained ??= this.#drain(cause);
    return this.#drained;
  }

  async #drain(cause: DisconnectCause): Promise<void> {
    this.#noteCause(cause);
    await withTimeout(this.#inbound.close(), IN_FLIGHT_MS);
    this.socket.ws.removeAllListeners('message');
    await this.#endInOrder(new Error(cause.message));
  }

  /**
   * Does nothing if the connection is already being closed, since WhatsApp has given the reason by then. Otherwise a
   * write of keys that is refused afterwards would turn the removal of the device, a ban or a requested pause into a
   * connection error.
   */
  #noteCause(cause: DisconnectCause): void {
    if (this.#isAlive) this.#cause ??= cause;
  }

  /** Closes with WebSocket's handshake, so that receipts on their way arrive; without it if that takes too long. */
  async #endInOrder(error: Error | undefined): Promise<void> {
    const { ws } = this.socket;
    const closed = new Promise<void>((resolve) => {
      // Baileys removes the listeners of `close` when it ends; this one is added afterwards.
      void this.socket.end(error).then(() => (ws.isClosed ? resolve() : ws.once('close', resolve)));
    });
    if (await withTimeout(closed, CLOSE_MS)) return;
    this.#transport.destroy();
    await closed;
  }

  /**
   * Acknowledges the notification. Baileys cannot acknowledge it before there is an account, and does it too late
   * afterwards.
   */
  async #refreshLink(stanza: BinaryNode): Promise<void> {
    try {
      await this.socket.sendNode(ackNode(stanza));
    } catch (error) {
      this.#resources.logger.warn({ err: error }, 'a notification could not be acknowledged');
    }
    // A phone has taken one of the codes already, and the link goes on without them.
    if (this.#isHeard && !this.passkey.isUnderWay) this.#resources.listener.linkRefreshed(this);
  }

  #begin(): void {
    const { caches, logger } = this.#resources;
    this.#inbound.start();
    caches.placeholderResends.askAgain(this.socket).catch((error: unknown) => {
      logger.warn({ err: error }, 'could not ask the phone for missing contents');
    });
    if (!this.#beganWithAppStateKey) return;
    catchUpAppState(this.socket).catch((error: unknown) => {
      logger.warn({ err: error }, 'contacts and chats could not be synchronised; the next login tries again');
    });
  }

  /** How files are fetched for this session: through its proxy, if it has one. */
  get requestOptions(): RequestInit {
    return this.#route === undefined ? {} : routedConnections(this.#route).options;
  }

  /** Whether the listener learns what WhatsApp sends. */
  get #isHeard(): boolean {
    return !this.#muted && this.#isAlive;
  }

  get #isAlive(): boolean {
    const { ws } = this.socket;
    return !this.#isEnded && !ws.isClosing && !ws.isClosed;
  }

  #receive(events: Partial<BaileysEventMap>): void {
    const update = events['connection.update'];
    if (update !== undefined) this.#follow(update);
    const published = this.#inbound.observe(events);
    if (update?.connection === 'open') this.#begin();
    if (this.#muted) return;
    const { caches, listener, logger } = this.#resources;
    try {
      caches.groups.invalidate(published);
      listener.receive(this, published);
    } catch (error) {
      // An error of a listener would leave Baileys' buffer unchanged, and its events would be emitted a second time.
      logger.error({ err: error, events: Object.keys(events) }, 'events could not be handled');
    }
    if (update?.connection === 'close') this.passkey.end();
  }

  #follow({ qr, connection, isNewLogin, lastDisconnect }: Partial<ConnectionState>): void {
    if (isNewLogin === true) this.passkey.end({ isLinked: true });
    if (qr !== undefined) this.#permit.accepted();
    if (connection === 'open') this.#permit.opened();
    if (qr !== undefined || connection === 'open' || connection === 'close') clearTimeout(this.#watchdog);
    if (connection !== 'close') return;
    clearInterval(this.#flusher);
    this.#isOver = true;
    // Baileys continues with the current message, and the events that it emits for it from now on are lost.
    this.socket.ev.emit = () => {
      this.#inbound.cut();
      return false;
    };
    this.#route?.close();
    const { proxy, statusCode } = this.#cause ?? causeOf(lastDisconnect);
    // What a proxy does says nothing about WhatsApp.
    this.#permit.ended(proxy === undefined ? statusCode : 0);
  }
}
