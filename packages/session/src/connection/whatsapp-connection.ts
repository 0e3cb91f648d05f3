import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable } from '@wafleet/store';
import {
  ALL_WA_PATCH_NAMES,
  type AuthenticationState,
  type BaileysEventMap,
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  getAllBinaryNodeChildren,
  type proto,
  type WAMessageKey,
  type WASocket,
} from '@whiskeysockets/baileys';
import { baileysLogger } from '../baileys/logger.js';
import { type LearntPair, withSharedLidMappings } from '../baileys/patches/shared-lid-mappings.js';
import { shareRetryMemory } from '../baileys/patches/shared-retry-memory.js';
import { rejectQueriesAtEnd } from '../baileys/pending-queries.js';
import { makeWholeSocket } from '../baileys/whole-socket.js';
import type { CachesOfSession } from '../caches/session-caches.js';
import { keepEventsApart } from '../events/event-merging.js';
import type { FinishedMessage } from '../events/outbox.js';
import { acknowledgeOwnCopy, isOwnCopy } from '../identity/own-receipts.js';
import type { KnownPerson } from '../identity/people.js';
import { StanzaDetails } from '../identity/stanza-details.js';
import type { DecryptionJournal } from '../inbound/decryption-journal.js';
import { InboundQueue } from '../inbound/inbound-queue.js';
import { InboundTracker } from '../inbound/inbound-tracker.js';
import type { MessageDeduplicator } from '../inbound/message-deduplicator.js';
import type { DisconnectCause } from '../mapping/connection.js';
import { MissingContents, type MissingContentsOptions } from '../missing-contents/missing-contents.js';
import { removeCompanion } from '../pairing/companion-requests.js';
import { keepOuterSecrets } from '../polls/outer-secrets.js';
import { within } from '../within.js';
import type { ConnectPermit } from './connect-limiter.js';
import { causeOf } from './disconnects.js';
import type { SilenceDetector } from './silence-detector.js';
import { SocketValve } from './socket-valve.js';

/** How long WhatsApp lets the first QR code of a round live, and each one after it (Baileys, Socket/socket.js). */
const FIRST_QR_MS = 60_000;
const LATER_QR_MS = 20_000;
/** How long a drain waits for the message that is being decrypted. */
const IN_FLIGHT_MS = 2_000;
/**
 * After a login Baileys holds events back, up to 20 s for the history sync to begin and 30 s in all, though their
 * messages are acknowledged. They are taken out of its buffer this often, until that time is over.
 */
const FLUSH_MS = 250;
const FLUSH_FOR_MS = 60_000;
/** How long a server may take to answer that the connection closes. */
const CLOSE_MS = 1_000;
/** The pause before a message that was sent is looked for again. */
const FIND_AGAIN_MS = 500;

export interface ConnectionOptions extends Pick<MissingContentsOptions, 'afterEvents'> {
  /**
   * Makes what Baileys works with. `isWanted` tells whether a write of a Signal record still serves a purpose: one
   * that is stored after the socket is gone cannot be acknowledged, and the message that WhatsApp therefore delivers
   * again could not be decrypted a second time. `onRefused` is called before a read or write of a record rejects.
   */
  readonly auth: (isWanted: () => boolean, onRefused: (error: unknown) => void) => AuthenticationState;
  /** Whether the session can only be this process's. While it returns false, the socket neither reads nor sends. */
  readonly isOwnershipCertain: () => boolean;
  /** A server other than WhatsApp's. */
  readonly url: string | undefined;
  /** How long a connection may take to become open or to show a QR code. */
  readonly connectTimeoutMs: number;
  /** How long each QR code lives, in place of WhatsApp's own 60 s for the first and 20 s for each later one. */
  readonly qrLifeMs: number | undefined;
  readonly pass: ConnectPermit;
  /** Is shown everything that WhatsApp sends. */
  readonly quiet: SilenceDetector;
  readonly logger: Logger;
  readonly caches: CachesOfSession;
  /** Those of the session's messages that are decrypted and not finished. */
  readonly decrypted: DecryptionJournal;
  /** Messages to begin with, as if WhatsApp had just sent them. */
  readonly leftOver: readonly BinaryNode[];
  /** Tells which messages were finished before. */
  readonly repeated: MessageDeduplicator;
  /** The events of a message are handed out. */
  readonly onMessageDone: (message: FinishedMessage) => void;
  /** WhatsApp no longer takes the codes for linking of this connection; another connection gets new ones. */
  readonly onLinkRefresh: () => void;
  /** A message that this account sent, for a receiver that could not decrypt it. Rejects if Redis is out of reach. */
  readonly getMessage: (key: WAMessageKey) => Promise<proto.IMessage | undefined>;
  /** Everything Baileys emits, in order; one call for each flush of its buffer. */
  readonly onEvents: (events: Partial<BaileysEventMap>) => void;
  /** Pairs of LID and number were stored for the first time. */
  readonly onPairsLearnt: (pairs: readonly LearntPair[]) => void;
  /** WhatsApp said who is in a group. */
  readonly onGroupMembers: (members: readonly KnownPerson[]) => void;
}

/**
 * One connection to WhatsApp: a Baileys socket with the settings that a session needs, from its first byte to its
 * `close` event. It never reconnects; a session makes a new one.
 */
export class WhatsAppConnection {
  readonly socket: WASocket;
  /** Whether the session was linked to a phone before this connection began. */
  readonly beganLinked: boolean;
  readonly #options: ConnectionOptions;
  /** Whether an earlier connection got what the app state is read with. */
  readonly #beganWithAppStateKey: boolean;
  readonly #atWork: InboundTracker;
  readonly #messages: InboundQueue;
  readonly #valve: SocketValve;
  readonly #watchdog: NodeJS.Timeout;
  readonly #flusher: NodeJS.Timeout;
  #transport: Socket | undefined;
  #isPaused = false;
  #isEnded = false;
  #cause: DisconnectCause | undefined;
  #qrShown = 0;
  #qrRoundEndsAt = 0;
  #muted = false;
  /** The `close` event came. */
  #isOver = false;

  /** @throws what Baileys or the parts of a connection throw; nothing is left open then. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { auth, url, qrLifeMs, logger, caches, decrypted, repeated, leftOver } = options;
    repeated.forget();
    const { makeSignalRepository } = DEFAULT_CONNECTION_CONFIG;
    const socket = makeWholeSocket({
      auth: auth(
        () => this.#isAlive,
        () => {
          this.#atWork.cut();
          this.endWith({ statusCode: 500, message: 'keys could not be read or stored' });
        },
      ),
      logger: baileysLogger(logger),
      ...(url === undefined ? {} : { waWebSocketUrl: url }),
      ...(qrLifeMs === undefined ? {} : { qrTimeout: qrLifeMs }),
      // The history sync carries the mapping of phone numbers to LIDs: it is kept small, never switched off.
      syncFullHistory: false,
      markOnlineOnConnect: false,
      fireInitQueries: true,
      emitOwnEvents: true,
      // Otherwise two stack traces for each stanza sent; the watchdog, and later the keep-alive, see what hangs.
      connectTimeoutMs: 0,
      transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 0 },
      msgRetryCounterCache: caches.messageRetries,
      userDevicesCache: caches.userDevices,
      callOfferCache: caches.callOffers,
      placeholderResendCache: caches.placeholderResends,
      makeSignalRepository: keepOuterSecrets(
        withSharedLidMappings(
          decrypted.repository(makeSignalRepository),
          caches.lidMappings,
          options.onPairsLearnt,
        ),
      ),
      getMessage: (key) => this.#find(key),
      cachedGroupMetadata: (id) =>
        caches.groups.get(id, async (asked) => {
          const group = await this.socket.groupMetadata(asked);
          options.onGroupMembers(group.participants);
          return group;
        }),
    });
    this.socket = socket;
    rejectQueriesAtEnd(socket);
    this.beganLinked = socket.authState.creds.account !== undefined;
    this.#beganWithAppStateKey = socket.authState.creds.myAppStateKeyId !== undefined;
    try {
      this.#valve = new SocketValve(socket.ws, {
        mayPass: options.isOwnershipCertain,
        onOverflow: () => this.endWith({ statusCode: 503, message: 'too many bytes were held back' }),
        onUnreadable: (error) => logger.warn({ err: error }, 'a frame from WhatsApp could not be read'),
      });
      // What clients send `getMessage` finds; Baileys sends requests of its own to the phone.
      const isOwnRequest = (id: string, { protocolMessage }: proto.IMessage) =>
        id !== this.#atWork.idWaitedFor && protocolMessage != null;
      shareRetryMemory(socket.messageRetryManager, caches.retryMemory, isOwnRequest);
      caches.groups.follow(socket.ws);
      keepEventsApart(socket.ev);
      const isMuted = () => this.#muted;
      const onDone = options.onMessageDone;
      this.#atWork = new InboundTracker({ socket, decrypted, repeated, logger, isMuted, onDone });
      const details = new StanzaDetails(socket, () => socket.authState.creds.me);
      const atWork = this.#atWork;
      const { afterEvents } = options;
      const hooks = new MissingContents({
        ...{ socket, logger, repeated, details, onDone, afterEvents },
        isMuted: () => this.#muted || this.#isOver,
        idWaitedFor: () => atWork.idWaitedFor,
        hooks: {
          isDone: (stanza) => atWork.isDone(stanza),
          before: (stanza) => {
            details.begin(stanza);
            atWork.before(stanza);
          },
          after: (stanza) => {
            atWork.after(stanza);
            this.#acknowledge(stanza);
          },
        },
        onEvents: (events) => this.#receive(events),
      });
      this.#messages = new InboundQueue(socket.ws, { leftOver, hooks });
      this.#watchTransport();
      options.quiet.begin();
      socket.ws.on('frame', (frame: unknown) => options.quiet.see(frame));
      // Messages in the event buffer were acknowledged to WhatsApp already: without this they would be lost.
      socket.registerSocketEndHandler(() => {
        socket.ev.flush();
      });
      socket.ev.process((events) => this.#receive(events));
    } catch (error) {
      void socket.end(undefined);
      throw error;
    }
    this.#watchdog = setTimeout(
      () => this.endWith({ statusCode: 408, message: 'WhatsApp did not answer in time' }),
      options.connectTimeoutMs,
    );
    const flushUntil = Date.now() + options.connectTimeoutMs + FLUSH_FOR_MS;
    this.#flusher = setInterval(() => {
      if (socket.ev.isBuffering()) socket.ev.flush();
      if (Date.now() <= flushUntil) return;
      clearInterval(this.#flusher);
      repeated.forget();
    }, FLUSH_MS);
  }

  /** Why the connection ended, where the reason is this side's; Baileys' own account of it is none then. */
  get cause(): DisconnectCause | undefined {
    return this.#cause;
  }

  /** When the QR code that was just shown expires, ms since 1970. */
  qrExpiresAt(): number {
    return Date.now() + this.#qrLifeMs(this.#qrShown === 1);
  }

  /** When the last QR code of the round expires and the connection with it; 0 before the first one. */
  get qrRoundEndsAt(): number {
    return this.#qrRoundEndsAt;
  }

  /**
   * Reads nothing more from the socket until `resumeReading`. What WhatsApp sends stays unread and is acknowledged
   * later, or delivered again over another connection. A pause of more than about 30 s ends the connection: Baileys
   * takes the silence for a dead link.
   */
  pauseReading(): void {
    this.#isPaused = true;
    this.#transport?.pause();
  }

  resumeReading(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#transport?.resume();
  }

  /** Sends nothing until the promise, which must not reject, has settled. What is to be sent meanwhile keeps its order. */
  holdSends(until: Promise<void>): void {
    this.#valve.holdSends(until);
  }

  /**
   * Ends the connection without waiting for the server: from now on nothing is read and nothing is sent. Its `close`
   * event follows, with the given cause. Idempotent.
   */
  endWith(cause: DisconnectCause): void {
    this.#noteCause(cause);
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#valve.shut();
    void this.#messages.close();
    this.#transport?.destroy();
    void this.socket.end(new Error(cause.message));
  }

  /** Ends the connection at once; no event of it is told any more. */
  discard(): void {
    this.#muted = true;
    clearTimeout(this.#watchdog);
    this.endWith({ statusCode: 428, message: 'discarded' });
  }

  /**
   * Removes this device at WhatsApp if the connection is open, and ends. Resolves when it is closed, to
   * whether WhatsApp has confirmed.
   */
  async logOut({ isOpen }: { isOpen: boolean }): Promise<boolean> {
    this.#muted = true;
    clearTimeout(this.#watchdog);
    let isConfirmed = false;
    try {
      if (isOpen) await removeCompanion(this.socket);
      isConfirmed = isOpen;
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'WhatsApp did not confirm the logout');
    }
    await this.#endInOrder(undefined);
    return isConfirmed;
  }

  /**
   * Ends the connection so that nothing is lost: lets the message that is being decrypted finish, begins no more,
   * which WhatsApp will deliver again, and hands out what the event buffer holds. Resolves after the `close` event.
   */
  async drain(cause: DisconnectCause): Promise<void> {
    this.#noteCause(cause);
    await within(IN_FLIGHT_MS, this.#messages.close());
    this.socket.ws.removeAllListeners('message');
    await this.#endInOrder(new Error(cause.message));
  }

  /**
   * Not if the connection is being closed already, since WhatsApp has said why then: a write of keys that is refused
   * after that would make a connection error of the removal of the device, a ban or a pause that WhatsApp wants.
   */
  #noteCause(cause: DisconnectCause): void {
    if (this.#isAlive) this.#cause ??= cause;
  }

  /** Closes with WebSocket's handshake, so that receipts on their way arrive; without it when that takes long. */
  async #endInOrder(error: Error | undefined): Promise<void> {
    const { ws } = this.socket;
    const closed = new Promise<void>((resolve) => {
      // Baileys takes listeners of `close` away when it ends; this one comes after.
      void this.socket.end(error).then(() => (ws.isClosed ? resolve() : ws.once('close', resolve)));
    });
    if (await within(CLOSE_MS, closed)) return;
    this.#transport?.destroy();
    await closed;
  }

  #watchTransport(): void {
    const { ws } = this.socket;
    ws.on('upgrade', ({ socket }: IncomingMessage) => {
      this.#transport = socket;
      // The WebSocket library resumes by itself when it has worked off what it has.
      socket.on('resume', () => {
        if (this.#isPaused) socket.pause();
      });
      if (this.#isPaused) socket.pause();
    });
    // A server that rejects the upgrade gives no close event of its own.
    ws.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      request.destroy();
      const statusCode = status === 429 ? 429 : 503;
      this.endWith({ statusCode, message: `WhatsApp rejected the connection with HTTP status ${status}` });
    });
    ws.on(
      'CB:notification,type:companion_reg_refresh',
      (stanza: BinaryNode) => void this.#refreshLink(stanza),
    );
    ws.on('CB:iq,type:set,pair-device', (stanza: BinaryNode) => {
      const pairDevice = getAllBinaryNodeChildren(stanza).find(({ tag }) => tag === 'pair-device');
      const refs = pairDevice === undefined ? [] : getAllBinaryNodeChildren(pairDevice);
      const count = refs.filter(({ tag }) => tag === 'ref').length;
      const laterMs = Math.max(0, count - 1) * this.#qrLifeMs(false);
      this.#qrRoundEndsAt = Date.now() + this.#qrLifeMs(true) + laterMs;
    });
  }

  /** Acknowledges the notification: Baileys cannot before there is an account, and does so too late afterwards. */
  async #refreshLink({ tag, attrs }: BinaryNode): Promise<void> {
    const { id = '', from = '', type = '' } = attrs;
    try {
      await this.socket.sendNode({ tag: 'ack', attrs: { id, to: from, class: tag, type } });
    } catch (error) {
      this.#options.logger.warn({ err: error }, 'a notification could not be acknowledged');
    }
    if (!this.#muted && this.#isAlive) this.#options.onLinkRefresh();
  }

  #begin(): void {
    const { caches, logger } = this.#options;
    this.#messages.start();
    caches.placeholderResends.askAgain(this.socket).catch((error: unknown) => {
      logger.warn({ err: error }, 'the phone could not be asked for contents that are missing');
    });
    if (!this.#beganWithAppStateKey) return;
    this.#catchUpAppState().catch((error: unknown) => {
      logger.warn({ err: error }, 'contacts and chats could not be synchronised; the next login tries again');
    });
  }

  /**
   * Baileys synchronises contacts, chats and settings with the history of the first login, and never catches up if that
   * login was cut off.
   */
  async #catchUpAppState(): Promise<void> {
    const { authState } = this.socket;
    const versions = await authState.keys.get('app-state-sync-version', [...ALL_WA_PATCH_NAMES]);
    if (Object.values(versions).some((version) => version != null)) return;
    await this.socket.resyncAppState(ALL_WA_PATCH_NAMES, true);
  }

  #acknowledge(stanza: BinaryNode): void {
    const { socket } = this;
    // What could not be read is asked for again, and must not count as delivered.
    if (!this.#atWork.wasRead || !isOwnCopy(stanza, socket.authState.creds.me)) return;
    acknowledgeOwnCopy(socket, stanza, { always: false }).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'a message of the account could not be acknowledged');
    });
  }

  /**
   * Waits while Redis is out of reach: Baileys acknowledges the request of a receiver who could not decrypt a message,
   * answered or not. Once the connection has ended it cannot, and WhatsApp delivers the request again.
   */
  async #find(key: WAMessageKey): Promise<proto.IMessage | undefined> {
    for (;;) {
      try {
        return await this.#options.getMessage(key);
      } catch (error) {
        if (!this.#isAlive || !isRedisUnreachable(error)) throw error;
        this.#options.logger.warn(
          { err: error },
          'a message that was sent cannot be read; it is tried again',
        );
        await delay(FIND_AGAIN_MS);
      }
    }
  }

  get #isAlive(): boolean {
    const { ws } = this.socket;
    return !this.#isEnded && !ws.isClosing && !ws.isClosed;
  }

  #qrLifeMs(isFirst: boolean): number {
    return this.#options.qrLifeMs ?? (isFirst ? FIRST_QR_MS : LATER_QR_MS);
  }

  #receive(events: Partial<BaileysEventMap>): void {
    const update = events['connection.update'];
    if (update?.qr !== undefined) this.#qrShown += 1;
    if (update?.qr !== undefined) this.#options.pass.accepted();
    if (update?.connection === 'open') this.#options.pass.opened();
    if (update?.qr !== undefined || update?.connection === 'open' || update?.connection === 'close') {
      clearTimeout(this.#watchdog);
    }
    if (update?.connection === 'close') {
      clearInterval(this.#flusher);
      this.#isOver = true;
      // Baileys goes on with the message at hand, and what it emits of it now is lost.
      this.socket.ev.emit = () => {
        this.#atWork.cut();
        return false;
      };
      this.#options.pass.ended((this.#cause ?? causeOf(update.lastDisconnect)).statusCode);
    }
    this.#atWork.see(events);
    if (update?.connection === 'open') this.#begin();
    if (this.#muted) return;
    try {
      this.#options.onEvents(this.#atWork.withoutRepeated(events));
    } catch (error) {
      // What a listener throws would leave Baileys' buffer as it is, to be emitted a second time.
      this.#options.logger.error({ err: error, events: Object.keys(events) }, 'events could not be handled');
    }
  }
}
