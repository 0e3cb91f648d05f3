import {
  type CommandFields,
  type CommandReply,
  SESSION_COMMANDS,
  type SessionCommandKind,
  type SessionStatus,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { FencedError } from '@wafleet/store';
import type { BaileysEventMap, ConnectionState, WASocket } from '@whiskeysockets/baileys';
import type { CachesOfSession } from './caches/session-caches.js';
import type { CommandContext } from './commands/command-context.js';
import { executeInSession } from './commands/execute.js';
import { MessageSender } from './commands/message-sender.js';
import { Recipients } from './commands/recipients.js';
import { SentMessages } from './commands/sent-messages.js';
import { ConnectionFactory } from './connection/connection-factory.js';
import { ConnectionSupervisor } from './connection/connection-supervisor.js';
import { causeOf, QUIET } from './connection/disconnects.js';
import { SilenceDetector } from './connection/silence-detector.js';
import type { WhatsAppConnection } from './connection/whatsapp-connection.js';
import { EventPublisher } from './events/event-publisher.js';
import { Outbox } from './events/outbox.js';
import { otherNameOf } from './identity/known-names.js';
import { People } from './identity/people.js';
import { DecryptionJournal } from './inbound/decryption-journal.js';
import { MessageDeduplicator } from './inbound/message-deduplicator.js';
import { SessionMedia } from './media/session-media.js';
import { PairingCodes } from './pairing/pairing-codes.js';
import { PairingOffers } from './pairing/pairing-offers.js';
import type { SessionEnd, StorageReach, WhatsAppSessionOptions } from './session-options.js';
import { SessionStateMachine } from './status/state-machine.js';
import { StatusReporter } from './status/status-reporter.js';
import { within } from './within.js';

/** How long a command waits for a session that is connecting. */
const OPENING_MS = 5_000;

/** The phase of the session. `stopping` and `unlinking` lead to `ended`, in which nothing happens any more. */
type Phase = 'running' | 'stopping' | 'unlinking' | 'ended';

/**
 * One WhatsApp session, owned by this process through its fence. SessionStateMachine determines its status. This class
 * implements its life, from the start to one of its ends, and its operations.
 *
 * All results leave through one ordered outbox: first the status in the directory, then the event. If a write finds
 * that another worker owns the session, the transport is cut before anything else. The session object and its caches
 * must not be used after that.
 */
export class WhatsAppSession {
  readonly #media: SessionMedia;
  readonly #onEnded: (end: SessionEnd) => void;
  readonly #outbox: Outbox;
  readonly #publisher: EventPublisher;
  readonly #statusReporter: StatusReporter;
  readonly #pairingOffers: PairingOffers;
  readonly #caches: CachesOfSession;
  readonly #supervisor: ConnectionSupervisor;
  readonly #connectionFactory: ConnectionFactory;
  readonly #stateMachine: SessionStateMachine;
  readonly #commandContext: CommandContext;
  readonly #quiet: SilenceDetector;
  readonly #logger: Logger;
  #quietTimer: NodeJS.Timeout | undefined;
  #phase: Phase = 'running';
  #stopReason: string | undefined;
  #lastActiveAt = 0;

  constructor(options: WhatsAppSessionOptions) {
    const { fence, store, whatsapp, connectLimiter, isOwnershipCertain = () => true } = options;
    const { url, connectTimeoutMs = 60_000, linkPatienceMs = 600_000, qrLifeMs, quietLimits } = whatsapp;
    const logger = options.logger.child({ tenantId: fence.tenantId, sessionId: fence.sessionId });
    const decrypted = new DecryptionJournal({ logger });
    const caches = options.caches.forSession();
    const people = new People({
      pairs: caches.lidMappings,
      members: caches.memberPairs,
      usernames: caches.usernames,
      read: (ids) => store.auth.readRecords('lid-mapping', ids),
    });
    const repeated = new MessageDeduplicator({ finished: store.finishedMessages, fence, people });
    this.#quiet = new SilenceDetector(quietLimits);
    const supervisor = new ConnectionSupervisor(
      (signal) => this.#openConnection(signal),
      (listener) => connectLimiter.onAccepted(listener),
    );
    this.#supervisor = supervisor;
    const outbox = new Outbox({
      fence,
      eventLog: store.events,
      logger,
      onFenced: () => this.#end('fenced'),
      onCongestion: (isCongested) => supervisor.holdReading('congestion', isCongested),
      onFinished: ({ field, digest }) => {
        if (field !== undefined) decrypted.deleted(field);
        if (digest !== undefined) repeated.logged(digest);
      },
    });
    const statusReporter = new StatusReporter({ fence, directory: store.directory, outbox });
    const pairingOffers = new PairingOffers({
      fence,
      offers: store.offers,
      outbox,
      patienceMs: linkPatienceMs,
    });
    const sentMessages = new SentMessages({ recentMessages: store.recentMessages, fence, logger });
    const connectionFactory = new ConnectionFactory({
      fence,
      isOwnershipCertain,
      store,
      connectLimiter,
      caches,
      url,
      connectTimeoutMs,
      qrLifeMs,
      decrypted,
      repeated,
      quiet: this.#quiet,
      sentMessages,
      logger,
      onFenced: () => this.#end('fenced'),
      onStorageFailed: () =>
        supervisor.current?.endWith({ statusCode: 500, message: 'keys could not be stored' }),
      onUnreadable: (error) => {
        if (this.#phase === 'running') this.#stateMachine.cannotRead(error);
      },
      onHeld: () => this.#stateMachine.holdUp(),
      onLinkRefresh: (connection) => {
        if (supervisor.current !== connection || connectionFactory.account?.isLinked !== false) return;
        pairingOffers.offerQr();
        pairingOffers.connectionEnded();
        void supervisor.replace();
      },
      onMessageDone: (message) => {
        if (message.digest !== undefined) repeated.handedOut(message.digest);
        outbox.finish(message);
      },
      afterEvents: (step, characters) => outbox.run(step, characters),
      onEvents: (connection, events) => {
        if (supervisor.current === connection) this.#onEvents(connection, events);
      },
      onPairsLearnt: (pairs) => this.#publisher.pairsLearnt(pairs),
      onGroupMembers: (members) => this.#publisher.notePeople(members),
    });
    this.#onEnded = options.onEnded;
    this.#logger = logger;
    this.#outbox = outbox;
    this.#publisher = new EventPublisher({
      fence,
      recentMessages: store.recentMessages,
      messageSecrets: store.messageSecrets,
      receivedMedia: store.receivedMedia,
      outbox,
      otherNameOf: (jid) => otherNameOf(store.auth, jid),
      context: () => ({ me: connectionFactory.account?.me, condition: statusReporter.condition }),
      people,
      logger,
    });
    this.#statusReporter = statusReporter;
    this.#pairingOffers = pairingOffers;
    this.#media = new SessionMedia({
      fence,
      receivedMedia: store.receivedMedia,
      outbox,
      line: () => this.#openLine(),
      logger,
    });
    this.#caches = caches;
    this.#connectionFactory = connectionFactory;
    const onRest = (end: SessionEnd) => this.#endWhenIdle(end);
    this.#stateMachine = new SessionStateMachine({
      statusReporter,
      pairingOffers,
      supervisor,
      connectionFactory,
      outbox,
      logger,
      onRest,
    });
    const openLine = () => this.#openLine();
    this.#commandContext = {
      get socket() {
        return openLine().socket;
      },
      recipients: new Recipients(caches.recipients),
      messages: new MessageSender({ sentMessages, isReading: () => supervisor.isReading, logger }),
      pairingCodes: new PairingCodes({
        account: () => connectionFactory.account,
        statusReporter,
        pairingOffers,
        supervisor,
        connectTimeoutMs,
        isRunning: () => this.#phase === 'running',
        logger,
      }),
      media: this.#media,
    };
  }

  get status(): SessionStatus {
    return this.#statusReporter.status;
  }

  /** Resolves at the next change of the status. */
  statusChanged(): Promise<void> {
    return this.#statusReporter.changed();
  }

  /** When a message was last sent or received, ms since 1970; 0 if there was none. */
  get lastActiveAt(): number {
    return this.#lastActiveAt;
  }

  /** When WhatsApp last delivered anything to the session object, ms since 1970; 0 if it never did. */
  get lastStanzaAt(): number {
    return this.#quiet.lastStanzaAt;
  }

  /** When WhatsApp last delivered a message to the session object, ms since 1970; 0 if it never did. */
  get lastMessageAt(): number {
    return this.#quiet.lastMessageAt;
  }

  /** Opens the session. Never rejects: errors show in the status. Resolves when the connection is being opened. */
  async start(): Promise<void> {
    this.#stateMachine.start();
    this.#quietTimer = setInterval(() => this.#lookForSilence(), this.#quiet.limits.lookMs);
    await this.#supervisor.open();
  }

  /**
   * Ends the session so that another worker can take it: begins nothing more, hands out and stores everything, closes
   * the connection, and sets the status `queued`. The caller must release the ownership. Idempotent.
   */
  async stop({ reason }: { reason: string }): Promise<void> {
    if (this.#phase !== 'running') return this.#outbox.idle();
    this.#phase = 'stopping';
    this.#stopReason = reason;
    this.#pairingOffers.close();
    await this.#supervisor.close();
    await this.#supervisor.current?.drain({ statusCode: 428, message: reason });
    // If this fails, nothing more can be done.
    await this.#connectionFactory.account?.settle().catch(() => {});
    this.#stateMachine.queue(reason);
    await this.#settle();
  }

  /**
   * Informs the session whether Redis is reachable. While it is not, nothing is read from the socket, since a message
   * may have to be stored before it is acknowledged. If Redis is `gone`, the socket is closed. When Redis is reachable
   * again, the session resumes reading or connects again. No event is lost meanwhile.
   */
  setStorage(reach: StorageReach): void {
    // Workers that could not see this worker's lease may have reported the session as one without a worker.
    if (reach === 'reachable' && this.#phase === 'running') this.#statusReporter.restate();
    this.#supervisor.setStorage(reach);
  }

  /** Ends the session at once and writes nothing more: the ownership is lost, or the process gives up. */
  discard(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    clearInterval(this.#quietTimer);
    // The transport comes first: from now on nothing is read, so nothing is acknowledged.
    this.#supervisor.letGo()?.discard();
    void this.#supervisor.close();
    this.#pairingOffers.offerQr();
    this.#connectionFactory.discard();
    this.#outbox.discard();
    this.#media.close();
    this.#caches.end();
  }

  /**
   * Unlinks the session from its phone and wipes its keys. If the session is open, WhatsApp is asked to remove the
   * device; otherwise the phone continues to list a device that is gone. Resolves to whether no phone lists the device:
   * WhatsApp has confirmed the removal, or the session was not linked.
   * @param options.keepsKeys keeps the keys if WhatsApp did not confirm, so that a later login can log out.
   * @throws {WafleetError} SESSION_NOT_OPEN if the session is already ending.
   */
  async unlink(options: { readonly keepsKeys?: boolean } = {}): Promise<{ readonly isUnlinked: boolean }> {
    if (this.#phase !== 'running') throw this.#statusReporter.notOpen();
    this.#phase = 'unlinking';
    this.#pairingOffers.close();
    await this.#supervisor.close();
    const isLinked = this.#connectionFactory.account?.isLinked ?? true;
    const isConfirmed = await this.#supervisor
      .letGo()
      ?.logOut({ isOpen: this.#statusReporter.status === 'open' });
    const isUnlinked = isConfirmed === true || !isLinked;
    if (isUnlinked || options.keepsKeys !== true) this.#stateMachine.logOut('unlinked');
    else this.#stateMachine.queue('removing');
    await this.#settle();
    return { isUnlinked };
  }

  /**
   * Executes a command. If it requires an open session and the session is connecting, waits for it to open. A session
   * that another worker had a moment ago is connecting, for example.
   * @throws {WafleetError} SESSION_NOT_OPEN, and the errors that the command declares.
   */
  async execute<K extends SessionCommandKind>(kind: K, fields: CommandFields<K>): Promise<CommandReply<K>> {
    if (SESSION_COMMANDS[kind].execution.requires === 'open') {
      if (this.#statusReporter.status === 'connecting')
        await within(OPENING_MS, this.#statusReporter.changed());
      this.#openLine();
      this.#lastActiveAt = Date.now();
    }
    try {
      return await executeInSession(this.#commandContext, kind, fields);
    } catch (error) {
      if (error instanceof FencedError) this.#end('fenced');
      throw error;
    }
  }

  /** @throws {WafleetError} SESSION_NOT_OPEN. */
  #openLine(): { socket: WASocket; me: string } {
    const socket = this.#supervisor.current?.socket;
    const me = this.#connectionFactory.account?.me?.id;
    const isOpen = this.#phase === 'running' && this.#statusReporter.status === 'open';
    if (socket === undefined || me === undefined || !isOpen) throw this.#statusReporter.notOpen();
    return { socket, me };
  }

  async #openConnection(signal: AbortSignal): Promise<WhatsAppConnection | undefined> {
    try {
      return await this.#connectionFactory.open({ signal, isLinkFresh: this.#stateMachine.isLinkFresh });
    } catch (error) {
      if (this.#phase !== 'running') return undefined;
      if (error instanceof FencedError) this.#end('fenced');
      else this.#stateMachine.cannotOpen(error);
      return undefined;
    }
  }

  #onEvents(connection: WhatsAppConnection, events: Partial<BaileysEventMap>): void {
    const { account } = this.#connectionFactory;
    const credentials = events['creds.update'];
    const saved = credentials && account?.saveCreds();
    // Baileys confirms a link in this same tick. A link that is confirmed but not stored could never log in. Baileys
    // emits the whole credentials at other times too, such as at each login.
    const isNewLink = credentials?.account !== undefined && !connection.beganLinked;
    if (isNewLink && saved !== undefined) connection.holdSends(saved);
    if (events['messages.upsert'] !== undefined) this.#lastActiveAt = Date.now();
    try {
      this.#media.keep(events);
      this.#publisher.publish(events);
    } finally {
      // This runs even if an error occurred above: a session that misses a change of its connection is stuck.
      const update = events['connection.update'];
      if (update?.connection === 'close') this.#onClose(connection, update);
      else if (update !== undefined) this.#stateMachine.follow(connection, update);
    }
  }

  #onClose(connection: WhatsAppConnection, update: Partial<ConnectionState>): void {
    this.#supervisor.letGo();
    const end = { update, cause: connection.cause ?? causeOf(update.lastDisconnect) };
    if (this.#phase === 'stopping') this.#stateMachine.queue(this.#stopReason, end);
    if (this.#phase === 'running') this.#stateMachine.reactTo(end);
  }

  /** Replaces a connection that is open and delivers nothing. Work in progress is finished first. */
  #lookForSilence(): void {
    const connection = this.#supervisor.current;
    if (connection === undefined || this.#phase !== 'running' || this.#statusReporter.status !== 'open')
      return;
    const quiet = this.#quiet.verdict();
    if (quiet === undefined) return;
    const { lastStanzaAt, lastMessageAt } = this;
    this.#logger.warn(
      { quiet, lastStanzaAt, lastMessageAt },
      'WhatsApp delivers nothing; the connection is replaced',
    );
    this.#quiet.reconnecting();
    void connection.drain(QUIET);
  }

  /** Ends the session once everything in its outbox has been written. */
  #endWhenIdle(end: SessionEnd): void {
    this.#phase = 'stopping';
    void this.#supervisor.close();
    void this.#outbox.idle().then(() => this.#end(end));
  }

  #end(end: SessionEnd): void {
    if (this.#phase === 'ended') return;
    this.discard();
    this.#onEnded(end);
  }

  /** Waits until everything is stored and published, and ends the session. */
  async #settle(): Promise<void> {
    await this.#connectionFactory.account?.idle();
    await this.#outbox.idle();
    this.discard();
  }
}
