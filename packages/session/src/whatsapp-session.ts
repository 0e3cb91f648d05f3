import { type SessionStatus, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { FencedError, isRedisUnreachable, SealedValueError } from '@wafleet/store';
import { type BaileysEventMap, type BinaryNode, type ConnectionState, proto } from '@whiskeysockets/baileys';
import { Account } from './account.js';
import { BoundedCache } from './bounded-cache.js';
import type { ConnectPass } from './connect-gate.js';
import { Connection } from './connection.js';
import { ConnectionKeeper } from './connection-keeper.js';
import { DecryptedMessages } from './decrypted-messages.js';
import { causeOf } from './disconnects.js';
import { GroupCache } from './group-cache.js';
import { LinkDesk } from './link-desk.js';
import type { DisconnectCause } from './mapping/connection.js';
import { mapBaileysEvents } from './mapping/index.js';
import type { MappedEvent } from './mapping/mapped-event.js';
import { Outbox } from './outbox.js';
import { Reconnecting } from './reconnecting.js';
import { type OutgoingText, sendText } from './send-text.js';
import { sessionCaches } from './session-caches.js';
import type { SessionEnd, StorageReach, WhatsAppSessionOptions } from './session-options.js';
import { type Occasion, StatusBoard } from './status-board.js';
import { within } from './within.js';

const CODE_MS = 180_000;
/** A QR round with less time left than this is no good for a pairing code, which dies with its connection. */
const LEAST_CODE_MS = 120_000;
/** How long a message to send waits for a session that connects. */
const OPENING_MS = 5_000;
const KNOWN_RECIPIENT_MS = 3_600_000;

/** What a session is busy with: `stopping` and `unlinking` lead to `ended`, where nothing happens any more. */
type Phase = 'running' | 'stopping' | 'unlinking' | 'ended';

/**
 * One WhatsApp session, owned by this process through its fence.
 *
 * | status | how it comes about | what ends it |
 * |---|---|---|
 * | connecting | start; the restart that follows a link | QR code → awaiting_link; login → open |
 * | awaiting_link | WhatsApp sent QR codes | link → connecting; nobody links for long → closed |
 * | open | login | loss of the connection → reconnecting; stop → queued |
 * | reconnecting | loss of the connection (see disconnects.ts) | login → open; QR code → awaiting_link |
 * | queued | stop: another worker is to take it | a new session object |
 * | closed | nobody linked a phone in time | a new session object |
 * | logged_out | unlinked, here or on the phone; the keys are wiped | a new session object |
 * | failed | a disconnect that needs a person; credentials that cannot be read | a new session object |
 *
 * Whatever happens leaves through one ordered outbox: first the status in the directory, then the event. When any
 * write finds that the session is another worker's, the transport is cut before anything else, and the session
 * object with all that it caches is good for nothing more.
 */
export class WhatsAppSession {
  readonly #options: WhatsAppSessionOptions;
  readonly #logger: Logger;
  readonly #outbox: Outbox;
  readonly #board: StatusBoard;
  readonly #desk: LinkDesk;
  readonly #keeper = new ConnectionKeeper((signal) => this.#openConnection(signal));
  readonly #reconnecting = new Reconnecting();
  readonly #groups = new GroupCache();
  readonly #caches = sessionCaches();
  readonly #decrypted = new DecryptedMessages();
  readonly #knownRecipients = new BoundedCache({ maxEntries: 500, lifeMs: KNOWN_RECIPIENT_MS });
  #phase: Phase = 'running';
  #stopReason: string | undefined;
  #account: Account | undefined;
  #qrWaiters: (() => void)[] = [];
  #toldCredentials = '';
  #lastActiveAt = 0;
  /** A phone has linked the session just now, and its person waits for it to open. */
  #isLinkFresh = false;
  #storage: StorageReach = 'reachable';
  #isCongested = false;

  constructor(options: WhatsAppSessionOptions) {
    const { fence, store, whatsapp, logger } = options;
    this.#options = options;
    this.#logger = logger.child({ tenant: fence.tenantId, session: fence.sessionId });
    this.#outbox = new Outbox({
      fence,
      eventLog: store.events,
      logger: this.#logger,
      onFenced: () => this.#end('fenced'),
      onCongestion: (isCongested) => {
        this.#isCongested = isCongested;
        this.#holdReading();
      },
      onUsedUp: (field) => this.#decrypted.deleted(field),
    });
    this.#board = new StatusBoard({ fence, directory: store.directory, outbox: this.#outbox });
    const patienceMs = whatsapp.linkPatienceMs ?? 600_000;
    this.#desk = new LinkDesk({ fence, offers: store.offers, outbox: this.#outbox, patienceMs });
  }

  get status(): SessionStatus {
    return this.#board.status;
  }

  /** When a message last came or went, ms since 1970; 0 when none did. */
  get lastActiveAt(): number {
    return this.#lastActiveAt;
  }

  /** Opens the session. Never rejects: what goes wrong shows in the status. Resolves when it is under way. */
  async start(): Promise<void> {
    this.#board.set('connecting', undefined);
    await this.#keeper.open();
  }

  /**
   * Ends the session so that another worker can take it: begins nothing more, hands out and stores everything, closes
   * the connection, leaves the status `queued`. Releasing the ownership is the caller's. Idempotent.
   */
  async stop({ reason }: { reason: string }): Promise<void> {
    if (this.#phase !== 'running') return this.#outbox.idle();
    this.#phase = 'stopping';
    this.#stopReason = reason;
    this.#desk.close();
    await this.#keeper.close();
    await this.#keeper.current?.drain({ statusCode: 428, message: reason });
    this.#board.set('queued', reason);
    await this.#settle();
  }

  /**
   * Tells the session whether Redis can be reached. While it cannot, nothing is read from the socket, since what is
   * read may have to be stored before it is acknowledged; when it is `gone` the socket is closed. Back again, the
   * session reads on or connects anew. Nothing that it had to say is lost meanwhile.
   */
  setStorage(reach: StorageReach): void {
    this.#storage = reach;
    if (reach === 'reachable') {
      // Whoever could not see this worker's lease may have shown the session as one without a worker.
      if (this.#phase === 'running') this.#board.restate();
      this.#keeper.release();
    } else {
      this.#keeper.hold();
    }
    this.#holdReading();
    if (reach === 'gone')
      this.#keeper.current?.endWith({ statusCode: 503, message: 'Redis is out of reach' });
  }

  /** Ends the session at once and writes nothing more: the ownership is lost, or the process gives up. */
  discard(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    // The transport first: from here on nothing is read, hence nothing acknowledged.
    this.#keeper.letGo()?.discard();
    void this.#keeper.close();
    this.#desk.offerQr();
    this.#account?.discard();
    this.#outbox.discard();
  }

  /**
   * Unlinks the session from its phone and wipes its keys. WhatsApp is told when the session is open; otherwise the
   * phone goes on listing a device that is gone.
   * @throws {WafleetError} SESSION_NOT_OPEN when the session is ending already.
   */
  async unlink(): Promise<void> {
    if (this.#phase !== 'running') throw this.#notOpen();
    this.#phase = 'unlinking';
    this.#desk.close();
    await this.#keeper.close();
    await this.#keeper.letGo()?.logOut({ isOpen: this.#board.status === 'open' });
    this.#wipe('unlinked');
    await this.#settle();
  }

  /**
   * Sends a text message. A session that connects, as one does that another worker had a moment ago, is waited for.
   * @throws {WafleetError} SESSION_NOT_OPEN, RECIPIENT_NOT_FOUND, WHATSAPP_REFUSED, UNAVAILABLE, OUTCOME_UNKNOWN.
   */
  async sendText(text: OutgoingText): Promise<{ messageId: string }> {
    if (this.#board.status === 'connecting') await within(OPENING_MS, this.#board.changed());
    const connection = this.#keeper.current;
    if (connection === undefined || this.#phase !== 'running' || this.#board.status !== 'open') {
      throw this.#notOpen();
    }
    this.#lastActiveAt = Date.now();
    const sender = {
      socket: connection.socket,
      recentMessages: this.#options.store.recentMessages,
      fence: this.#options.fence,
      knownRecipients: this.#knownRecipients,
      logger: this.#logger,
    };
    try {
      await sendText(sender, text);
    } catch (error) {
      if (error instanceof FencedError) this.#end('fenced');
      throw error;
    }
    return { messageId: text.messageId };
  }

  /**
   * Asks WhatsApp for a code that links the phone of this number. Until it expires no QR code is shown. A second
   * request makes the first code worthless.
   * @param phone digits only, country code first.
   * @returns the code, and when it expires, ms since 1970.
   * @throws {WafleetError} ALREADY_LINKED, SESSION_NOT_OPEN.
   */
  async requestPairingCode(phone: string): Promise<{ code: string; expiresAt: number }> {
    if (this.#account?.isLinked === true) {
      throw new WafleetError('ALREADY_LINKED', 'The session is already linked to a phone.');
    }
    if (this.#phase !== 'running') throw this.#notOpen();
    this.#desk.expectCode();
    try {
      const connection = await this.#readyForCode();
      this.#desk.expectCode();
      const code = await connection.socket.requestPairingCode(phone);
      const expiresAt = Math.min(Date.now() + CODE_MS, connection.qrRoundEndsAt);
      this.#desk.showCode(code, phone, expiresAt, () => void this.#linkAnew());
      return { code, expiresAt };
    } catch (error) {
      this.#desk.offerQr();
      if (error instanceof WafleetError) throw error;
      this.#logger.warn({ err: error }, 'WhatsApp gave no pairing code');
      throw this.#notOpen();
    }
  }

  /** A connection that waits for a link, with fresh credentials and time enough left. */
  async #readyForCode(): Promise<Connection> {
    const { current } = this.#keeper;
    const timeLeft = (current?.qrRoundEndsAt ?? 0) - Date.now();
    if (current !== undefined && this.#account?.isHalfLinked === false && timeLeft >= LEAST_CODE_MS) {
      return current;
    }
    const qrCame = new Promise<void>((resolve) => this.#qrWaiters.push(resolve));
    void this.#linkAnew();
    const inTime = await within(this.#connectTimeoutMs, qrCame);
    if (!inTime || this.#keeper.current === undefined) throw this.#notOpen();
    return this.#keeper.current;
  }

  async #linkAnew(): Promise<void> {
    if (this.#phase === 'running' && this.#account?.isLinked !== true) await this.#keeper.replace();
  }

  async #openConnection(signal: AbortSignal): Promise<Connection | undefined> {
    try {
      this.#account ??= await this.#loadAccount();
      // What the last connection gave has to be stored before the next one logs in with it.
      await this.#account.idle();
      if (this.#account.isHalfLinked) await this.#account.reset();
      const pass = await this.#options.gate.pass({
        tenantId: this.#options.fence.tenantId,
        isUrgent: !this.#account.isLinked || this.#isLinkFresh,
        signal,
        onHeld: () => this.#board.set('reconnecting', 'client-outdated'),
      });
      const leftOver = await this.#decrypted.leftOver();
      if (leftOver.length > 0) {
        this.#logger.info({ messages: leftOver.length }, 'another worker left messages unfinished');
      }
      return pass && this.#connect(this.#account, pass, leftOver);
    } catch (error) {
      if (this.#phase === 'running') this.#onCannotOpen(error);
      return undefined;
    }
  }

  async #loadAccount(): Promise<Account> {
    const { store } = this.#options;
    await this.#decrypted.restore((ids) => store.auth.readRecords('inbox', ids));
    return Account.load({
      store: store.auth,
      deleteStored: store.deleteAuth,
      logger: this.#logger,
      onFenced: () => this.#end('fenced'),
      onStorageFailed: () =>
        this.#keeper.current?.endWith({ statusCode: 500, message: 'keys could not be stored' }),
      onUnreadable: (error) => this.#onUnreadable(error),
    });
  }

  #connect(account: Account, pass: ConnectPass, leftOver: readonly BinaryNode[]): Connection {
    const { url, qrLifeMs } = this.#options.whatsapp;
    const connection: Connection = new Connection({
      auth: (isWanted) => account.auth(isWanted),
      url,
      qrLifeMs,
      connectTimeoutMs: this.#connectTimeoutMs,
      pass,
      logger: this.#logger,
      caches: this.#caches,
      decrypted: this.#decrypted,
      leftOver,
      onMessageDone: (field) => {
        if (this.#keeper.current === connection) this.#outbox.useUp(field);
      },
      groupMetadata: (id, fetch) => this.#groups.get(id, fetch),
      getMessage: ({ id }) => this.#sentMessage(id),
      onEvents: (events) => {
        if (this.#keeper.current === connection) this.#onEvents(connection, events);
      },
    });
    if (!this.#mayRead) connection.pauseReading();
    return connection;
  }

  get #mayRead(): boolean {
    return this.#storage === 'reachable' && !this.#isCongested;
  }

  #holdReading(): void {
    if (this.#mayRead) this.#keeper.current?.resumeReading();
    else this.#keeper.current?.pauseReading();
  }

  #onCannotOpen(error: unknown): void {
    if (error instanceof FencedError) {
      this.#end('fenced');
    } else if (isRedisUnreachable(error)) {
      this.#logger.warn({ err: error }, 'the credentials cannot be read now');
      this.#keeper.openWithBackOff();
    } else {
      this.#onUnreadable(error);
    }
  }

  #onUnreadable(error: unknown): void {
    if (this.#phase !== 'running') return;
    this.#logger.error({ err: error }, 'the session cannot be run with its credentials');
    this.#keeper.letGo()?.discard();
    this.#finish('failed', 'credentials-unreadable');
  }

  #onEvents(connection: Connection, events: Partial<BaileysEventMap>): void {
    this.#groups.invalidate(events);
    if (events['creds.update'] !== undefined) void this.#account?.saveCreds();
    if (events['messages.upsert'] !== undefined) this.#lastActiveAt = Date.now();
    const mapped = mapBaileysEvents(events, { me: this.#account?.me }, (event, error) =>
      this.#logger.error({ err: error, event }, 'an event could not be mapped'),
    );
    this.#outbox.publish(mapped.filter((event) => this.#isNews(event)));
    const update = events['connection.update'];
    if (update !== undefined) this.#onConnectionUpdate(connection, update);
  }

  /** Baileys repeats the whole credentials now and then: what clients know of them is told when it changes. */
  #isNews({ event, payload }: MappedEvent): boolean {
    if (event !== 'creds.update') return true;
    const text = JSON.stringify(payload);
    if (text === this.#toldCredentials) return false;
    this.#toldCredentials = text;
    return true;
  }

  #onConnectionUpdate(connection: Connection, update: Partial<ConnectionState>): void {
    if (update.connection === 'close') {
      this.#keeper.letGo();
      this.#onClose(update, connection.cause ?? causeOf(update.lastDisconnect));
    } else if (update.connection === 'open') {
      this.#desk.close();
      this.#isLinkFresh = false;
      this.#keeper.markOpen();
      this.#board.set('open', undefined, { update, phone: this.#account?.phone });
    } else if (update.qr !== undefined) {
      this.#board.set('awaiting_link', undefined);
      this.#desk.showQr(update.qr, connection.qrExpiresAt());
      for (const resolve of this.#qrWaiters.splice(0)) resolve();
    } else if (update.isNewLogin === true) {
      this.#desk.close();
      this.#isLinkFresh = true;
      this.#board.set('connecting', 'linked', { update, phone: this.#account?.phone });
    } else {
      this.#board.tell({ update });
    }
  }

  #onClose(update: Partial<ConnectionState>, cause: DisconnectCause): void {
    const occasion = { update, cause };
    if (this.#phase === 'stopping') this.#board.set('queued', this.#stopReason, occasion);
    if (this.#phase !== 'running') return;
    this.#logger.info({ ...cause, status: this.#board.status }, 'the connection ended');
    this.#desk.withdrawQr();
    const isLinked = this.#account?.isLinked ?? false;
    // A pairing code dies with the connection that asked for it.
    if (!isLinked) this.#desk.offerQr();
    this.#react(occasion, isLinked);
  }

  #react(occasion: Occasion & { cause: DisconnectCause }, isLinked: boolean): void {
    const lastDisconnect = occasion.update?.lastDisconnect;
    const reaction = this.#reconnecting.reactionTo(occasion.cause, { isLinked, lastDisconnect });
    switch (reaction.kind) {
      case 'reconnect': {
        const afterLink = reaction.wait === 0 && this.#board.status === 'connecting';
        if (afterLink) this.#board.tell(occasion);
        else this.#board.set('reconnecting', reaction.reason, occasion);
        if (reaction.wait === 'back-off') this.#keeper.openWithBackOff();
        else this.#keeper.openIn(reaction.wait);
        break;
      }
      case 'new-qr-round':
        if (this.#desk.isPatient) {
          this.#board.tell(occasion);
          this.#keeper.openIn(0);
        } else {
          this.#finish('closed', 'link-timeout', occasion);
        }
        break;
      case 'logged-out':
        this.#wipe(reaction.reason, occasion);
        this.#endWhenIdle('logged_out');
        break;
      case 'failed':
        this.#finish('failed', reaction.reason, occasion);
        break;
    }
  }

  #wipe(reason: string, occasion: Occasion = {}): void {
    const account = this.#account;
    this.#outbox.run(() => account?.wipe() ?? this.#options.store.deleteAuth());
    this.#board.set('logged_out', reason, { ...occasion, phone: null });
  }

  #finish(status: 'closed' | 'failed', reason: string, occasion: Occasion = {}): void {
    this.#desk.close();
    this.#board.set(status, reason, occasion);
    this.#endWhenIdle(status);
  }

  /** Ends the session once everything that it has to say is said. */
  #endWhenIdle(end: SessionEnd): void {
    this.#phase = 'stopping';
    void this.#outbox.idle().then(() => this.#end(end));
  }

  #end(end: SessionEnd): void {
    if (this.#phase === 'ended') return;
    this.discard();
    this.#options.onEnded(end);
  }

  /** Waits until everything is stored and said, and ends. */
  async #settle(): Promise<void> {
    await this.#account?.idle();
    await this.#outbox.idle();
    this.discard();
  }

  async #sentMessage(id: string | null | undefined): Promise<proto.IMessage | undefined> {
    if (!id) return undefined;
    const { store, fence } = this.#options;
    try {
      const bytes = await store.recentMessages.get(fence, id);
      return bytes === undefined ? undefined : proto.Message.decode(bytes);
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      // Sealed with a key that was taken out of use since.
      this.#logger.warn({ err: error }, 'a message cannot be sent again');
      return undefined;
    }
  }

  get #connectTimeoutMs(): number {
    return this.#options.whatsapp.connectTimeoutMs ?? 60_000;
  }

  #notOpen(): WafleetError {
    const { status } = this.#board;
    return new WafleetError('SESSION_NOT_OPEN', `The session is ${status.replace('_', ' ')}, not open.`, {
      status,
    });
  }
}
