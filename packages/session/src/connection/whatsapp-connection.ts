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

/** How long WhatsApp accepts the first QR code of a round, and each one after it (Baileys, Socket/socket.js). */
const FIRST_QR_MS = 60_000;
const LATER_QR_MS = 20_000;
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
/** The pause before a sent message is looked up again. */
const FIND_AGAIN_MS = 500;

export interface ConnectionOptions extends Pick<MissingContentsOptions, 'afterEvents'> {
  /**
   * Creates the authentication state for Baileys. `isWanted` returns whether a write of a Signal record is still
   * useful: a record that is stored after the socket is gone cannot be acknowledged, WhatsApp delivers its message
   * again, and that could not be decrypted a second time. `onRefused` is called before a read or write of a record
   * rejects.
   */
  readonly auth: (isWanted: () => boolean, onRefused: (error: unknown) => void) => AuthenticationState;
  /**
   * Whether it is certain that this process owns the session. While it returns false, the socket neither reads nor
   * sends.
   */
  readonly isOwnershipCertain: () => boolean;
  /** A server other than WhatsApp's. */
  readonly url: string | undefined;
  /** How long a connection may take to become open or to show a QR code. */
  readonly connectTimeoutMs: number;
  /** How long each QR code lives. Default: WhatsApp's own 60 s for the first and 20 s for each later one. */
  readonly qrLifeMs: number | undefined;
  readonly pass: ConnectPermit;
  /** Receives everything that WhatsApp sends. */
  readonly quiet: SilenceDetector;
  readonly logger: Logger;
  readonly caches: CachesOfSession;
  /** The session's messages that are decrypted and not finished. */
  readonly decrypted: DecryptionJournal;
  /** Messages to process first, as if WhatsApp had just sent them. */
  readonly leftOver: readonly BinaryNode[];
  /** Knows which messages were finished before. */
  readonly repeated: MessageDeduplicator;
  /** The events of a message were handed out. */
  readonly onMessageDone: (message: FinishedMessage) => void;
  /** WhatsApp no longer accepts this connection's codes for linking. A new connection gets new codes. */
  readonly onLinkRefresh: () => void;
  /**
   * Finds a message that this account sent, for a receiver that could not decrypt it. Rejects if Redis is unreachable.
   */
  readonly getMessage: (key: WAMessageKey) => Promise<proto.IMessage | undefined>;
  /** Receives everything Baileys emits, in order. One call for each flush of its buffer. */
  readonly onEvents: (events: Partial<BaileysEventMap>) => void;
  /** Pairs of LID and number were stored for the first time. */
  readonly onPairsLearnt: (pairs: readonly LearntPair[]) => void;
  /** WhatsApp reported the members of a group. */
  readonly onGroupMembers: (members: readonly KnownPerson[]) => void;
}

/**
 * One connection to WhatsApp: a Baileys socket with the settings that a session needs, from its first byte to its
 * `close` event. It never reconnects; a session creates a new one.
 */
export class WhatsAppConnection {
  readonly socket: WASocket;
  /** Whether the session was linked to a phone before this connection began. */
  readonly beganLinked: boolean;
  readonly #options: ConnectionOptions;
  /** Whether an earlier connection received the key that the app state is read with. */
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
  /** The `close` event was emitted. */
  #isOver = false;

  /** @throws the errors of Baileys or of the parts of a connection. Nothing is left open then. */
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
      // The history sync carries the mapping of phone numbers to LIDs, so it is kept small but never switched off.
      syncFullHistory: false,
      markOnlineOnConnect: false,
      fireInitQueries: true,
      emitOwnEvents: true,
      // Otherwise each stanza sent costs two stack traces. The watchdog, and later the keep-alive, detect a send that
      // hangs.
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
      // `getMessage` finds what clients send. Baileys also sends requests of its own to the phone.
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
      // Messages in the event buffer were already acknowledged to WhatsApp: without this they would be lost.
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

  /** Why the connection ended, if this side ended it. Baileys reports no reason of its own in that case. */
  get cause(): DisconnectCause | undefined {
    return this.#cause;
  }

  /** When the QR code that was just shown expires, ms since 1970. */
  qrExpiresAt(): number {
    return Date.now() + this.#qrLifeMs(this.#qrShown === 1);
  }

  /** When the last QR code of the round expires, and the connection with it, ms since 1970; 0 before the first one. */
  get qrRoundEndsAt(): number {
    return this.#qrRoundEndsAt;
  }

  /**
   * Reads nothing more from the socket until `resumeReading`. What WhatsApp sends stays unread. It is acknowledged
   * later, or delivered again over another connection. A pause of more than about 30 s ends the connection: Baileys
   * then considers the link dead.
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
    void this.#messages.close();
    this.#transport?.destroy();
    void this.socket.end(new Error(cause.message));
  }

  /** Ends the connection at once. None of its further events are reported. */
  discard(): void {
    this.#muted = true;
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
      this.#options.logger.warn({ err: error }, 'WhatsApp did not confirm the logout');
    }
    await this.#endInOrder(undefined);
    return isConfirmed;
  }

  /**
   * Ends the connection so that nothing is lost: finishes the message that is being decrypted, begins no other message
   * (WhatsApp will deliver those again), and hands out what the event buffer holds. Resolves after the `close` event.
   */
  async drain(cause: DisconnectCause): Promise<void> {
    this.#noteCause(cause);
    await within(IN_FLIGHT_MS, this.#messages.close());
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
    if (await within(CLOSE_MS, closed)) return;
    this.#transport?.destroy();
    await closed;
  }

  #watchTransport(): void {
    const { ws } = this.socket;
    ws.on('upgrade', ({ socket }: IncomingMessage) => {
      this.#transport = socket;
      // The WebSocket library resumes by itself when it has processed its buffered data.
      socket.on('resume', () => {
        if (this.#isPaused) socket.pause();
      });
      if (this.#isPaused) socket.pause();
    });
    // A server that rejects the upgrade causes no close event of its own.
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

  /**
   * Acknowledges the notification. Baileys cannot acknowledge it before there is an account, and does it too late
   * afterwards.
   */
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
      logger.warn({ err: error }, 'could not ask the phone for missing contents');
    });
    if (!this.#beganWithAppStateKey) return;
    this.#catchUpAppState().catch((error: unknown) => {
      logger.warn({ err: error }, 'contacts and chats could not be synchronised; the next login tries again');
    });
  }

  /**
   * Synchronises contacts, chats and settings if an earlier login did not. Baileys does it with the history of the
   * first login, and never catches up if that login was cut off.
   */
  async #catchUpAppState(): Promise<void> {
    const { authState } = this.socket;
    const versions = await authState.keys.get('app-state-sync-version', [...ALL_WA_PATCH_NAMES]);
    if (Object.values(versions).some((version) => version != null)) return;
    await this.socket.resyncAppState(ALL_WA_PATCH_NAMES, true);
  }

  #acknowledge(stanza: BinaryNode): void {
    const { socket } = this;
    // A message that could not be read is requested again, and must not count as delivered.
    if (!this.#atWork.wasRead || !isOwnCopy(stanza, socket.authState.creds.me)) return;
    acknowledgeOwnCopy(socket, stanza, { always: false }).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, 'a message of the account could not be acknowledged');
    });
  }

  /**
   * Finds a sent message; waits while Redis is unreachable. Baileys acknowledges the request of a receiver that could
   * not decrypt a message whether it was answered or not. Once the connection has ended it cannot acknowledge, and
   * WhatsApp delivers the request again.
   */
  async #find(key: WAMessageKey): Promise<proto.IMessage | undefined> {
    for (;;) {
      try {
        return await this.#options.getMessage(key);
      } catch (error) {
        if (!this.#isAlive || !isRedisUnreachable(error)) throw error;
        this.#options.logger.warn({ err: error }, 'could not read a sent message; trying again');
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
      // Baileys continues with the current message, and the events that it emits for it from now on are lost.
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
      // An error of a listener would leave Baileys' buffer unchanged, and its events would be emitted a second time.
      this.#options.logger.error({ err: error, events: Object.keys(events) }, 'events could not be handled');
    }
  }
}
