import {
  type CommandFields,
  type CommandReply,
  SESSION_COMMANDS,
  type SessionCommandKind,
  type SessionStatus,
} from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import { FencedError, ProxyUnreadableError, type StoredSettings } from '@wafleet/store';
import { SessionAccount } from './auth/session-account.js';
import { KnownGroups } from './caches/known-groups.js';
import type { CachesOfSession } from './caches/session-caches.js';
import { CallRejection } from './commands/call-rejection.js';
import type { CommandContext } from './commands/command-context.js';
import { ContactFinder } from './commands/contact-finder.js';
import { executeInSession } from './commands/execute.js';
import { HiddenFailures } from './commands/hidden-failures.js';
import { MessageSender } from './commands/message-sender.js';
import { SessionRestrictions } from './commands/pacing/restrictions.js';
import { Recipients } from './commands/recipients.js';
import { stanzaOptions } from './commands/stanza-options.js';
import { ConnectionFactory } from './connection/connection-factory.js';
import { ConnectionSupervisor, type StorageReach } from './connection/connection-supervisor.js';
import { LINK_AFTER_CODE_MS, LinkVersions } from './connection/link-versions.js';
import { OnlinePresence } from './connection/online-presence.js';
import { OpenSocket } from './connection/open-socket.js';
import { ReadingGate } from './connection/reading-gate.js';
import { SentMessages } from './connection/sent-messages.js';
import { SessionProxy } from './connection/session-proxy.js';
import { SilenceDetector } from './connection/silence-detector.js';
import { SilenceWatch } from './connection/silence-watch.js';
import { StatusAudiences } from './connection/status-audiences.js';
import { StatusResends } from './connection/status-resends.js';
import { ConnectionEvents } from './connection-events.js';
import { EventPublisher } from './events/event-publisher.js';
import { People } from './identity/people.js';
import { DecryptionJournal } from './inbound/decryption-journal.js';
import { MessageDeduplicator } from './inbound/message-deduplicator.js';
import { KnownMessages } from './known-messages/known-messages.js';
import { MessageTargets } from './known-messages/message-targets.js';
import { ListFiller } from './list-filling/list-filler.js';
import { ListKeeper } from './lists/list-keeper.js';
import { ListReader } from './lists/list-reader.js';
import { ReadMessages } from './lists/read-messages.js';
import { SessionMedia } from './media/session-media.js';
import { Outbox } from './outbox/outbox.js';
import { LinkProgressTracker } from './pairing/link-progress.js';
import { LinkReporter } from './pairing/link-reporter.js';
import { PairingCodes } from './pairing/pairing-codes.js';
import { PairingOffers } from './pairing/pairing-offers.js';
import { Passkeys } from './pairing/passkeys.js';
import { PASSKEY_TIMES } from './passkey/passkey-times.js';
import type { WhatsAppSessionOptions } from './session-options.js';
import { AutoRead } from './settings/auto-read.js';
import { ChatFilter } from './settings/chat-filter.js';
import { changesLink } from './settings/linked-device.js';
import { SettingsInForce } from './settings/settings-in-force.js';
import { SessionStateMachine } from './state-machine.js';
import { SessionLifecycle } from './status/lifecycle.js';
import { StatusReporter } from './status/status-reporter.js';

/** How long a command waits for a session that is connecting. */
const OPENING_MS = 5_000;

/**
 * One WhatsApp session, owned by this process through its fence. SessionStateMachine determines its status. This class
 * implements its life, from the start to one of its ends, and its operations.
 *
 * All results leave through one ordered outbox: first the status in the directory, then the event. If a write finds
 * that another worker owns the session, the transport is cut before anything else. The session object and its caches
 * must not be used after that.
 */
export class WhatsAppSession {
  readonly #lifecycle: SessionLifecycle;
  readonly #outbox: Outbox;
  readonly #statusReporter: StatusReporter;
  readonly #pairingOffers: PairingOffers;
  readonly #linkVersions: LinkVersions;
  readonly #linkProgress: LinkProgressTracker;
  readonly #account: SessionAccount;
  readonly #supervisor: ConnectionSupervisor;
  readonly #connectionFactory: ConnectionFactory;
  readonly #connectionEvents: ConnectionEvents;
  readonly #stateMachine: SessionStateMachine;
  readonly #quiet: SilenceDetector;
  readonly #silenceWatch: SilenceWatch;
  readonly #media: SessionMedia;
  readonly #proxy: SessionProxy;
  readonly #caches: CachesOfSession;
  readonly #openSocket: OpenSocket;
  readonly #commandContext: CommandContext;
  readonly #settings: SettingsInForce;
  readonly #online: OnlinePresence;
  readonly #lists: ListKeeper;
  readonly #filler: ListFiller;
  #lastCommandAt = 0;

  constructor(options: WhatsAppSessionOptions) {
    const { fence, store, whatsapp, connectLimiter, isOwnershipCertain = () => true } = options;
    const { url, ca, connectTimeoutMs = 60_000, linkPatienceMs = 600_000, qrLifeMs, quietLimits } = whatsapp;
    const { linkAfterCodeMs = LINK_AFTER_CODE_MS } = whatsapp;
    const passkeyTimes = { ...PASSKEY_TIMES, ...whatsapp.passkeyTimes };
    const { recentMessages, receivedMedia, messageSecrets } = store;
    const logger = options.logger.child({ tenantId: fence.tenantId, sessionId: fence.sessionId });
    const caches = options.caches.forSession();
    const lifecycle = new SessionLifecycle((end) => {
      this.discard();
      options.onEnded(end);
    });

    const inForce = new SettingsInForce({
      ...{ fence, store: store.settings },
      onChange: (before, now) => this.#settingsChanged(before, now),
    });

    // What leaves the session.
    const readingGate = new ReadingGate();
    const account = new SessionAccount({ store, logger });
    const { accountLists } = store;
    const lists = new ListKeeper({
      ...{ fence, accountLists, cache: caches.listEntries, inForce, account, logger },
    });
    const outbox = new Outbox({ fence, eventLog: store.events, logger, lifecycle, readingGate, lists });
    const linkProgress = new LinkProgressTracker();
    const statusReporter = new StatusReporter({ fence, directory: store.directory, outbox, linkProgress });
    const { offers, passkeyLinks } = store;
    const pairingOffers = new PairingOffers({
      ...{ fence, offers, passkeyLinks, outbox },
      patienceMs: linkPatienceMs,
      linkAfterCodeMs,
    });

    // What outlives a connection.
    const journal = new DecryptionJournal({ logger });
    const { lidMappings: pairs, memberPairs: members, usernames } = caches;
    const people = new People({ pairs, members, usernames, store: store.auth });
    const deduplicator = new MessageDeduplicator({ finished: store.finishedMessages, fence, people });
    const sentMessages = new SentMessages({ recentMessages, fence, logger });
    const statusAudiences = new StatusAudiences({ recentMessages, fence, logger });
    const statuses = new StatusResends({
      ...{ audiences: statusAudiences, sentMessages, people, stanzaOptions, logger },
    });
    const quiet = new SilenceDetector(quietLimits);

    // The connection and its states.
    const supervisor = new ConnectionSupervisor({ connectLimiter, readingGate });
    const link = { linkProgress, pairingOffers, account, statusReporter };
    const linkReporter = new LinkReporter(link);
    const linkVersions = new LinkVersions({ connectLimiter, linkAfterCodeMs });
    const parts = { ...link, lifecycle, supervisor, linkReporter, linkVersions, logger };
    const stateMachine = new SessionStateMachine({ ...parts, outbox, importedAt: options.importedAt });
    const proxy = new SessionProxy({ rules: options.proxyRules, connectTimeoutMs, ca });
    const openSocket = new OpenSocket(parts);
    const media = new SessionMedia({ fence, receivedMedia, outbox, openSocket, inForce, logger });
    const { auth } = store;
    const stored = { recentMessages, messageSecrets, receivedMedia, auth, eventLog: store.events };
    const readMessages = new ReadMessages({ lists, people, outbox });
    const autoRead = new AutoRead({
      ...{ inForce, outbox, readMessages, logger },
      openSocket: () => openSocket.current?.socket,
    });
    const filter = new ChatFilter(inForce);
    const publisher = new EventPublisher({
      ...{ ...parts, ...stored, fence, outbox, people },
      ...{ inForce, filter, autoRead, lists },
    });
    const { sentTo } = caches;
    const { pacing, sendPauses } = store;
    const contacts = new ContactFinder(people);
    const restrictions = new SessionRestrictions({
      ...{ ...parts, fence, pacing, sendPauses, inForce, contacts },
      onPause: (pause) => statusReporter.tell({ pause }),
    });
    const hiddenFailures = new HiddenFailures();
    const messages = new MessageSender({
      ...{ sentMessages, statusAudiences, sentTo, readingGate, restrictions, hiddenFailures, logger },
    });
    const online = new OnlinePresence({ inForce, supervisor, logger });
    const { callReplies } = store;
    const calls = new CallRejection({ ...parts, fence, inForce, callReplies, messages, people });
    const filler = new ListFiller({
      ...{ ...parts, ...stored, fence, lists, accountLists, people, filter, outbox },
    });
    const effects = { calls, online, autoRead, restrictions, hiddenFailures, filler };
    const listener = new ConnectionEvents({ ...parts, ...effects, media, publisher, stateMachine });
    const times = { connectTimeoutMs, linkAfterCodeMs, qrLifeMs, passkeyTimes };
    const settings = { isOwnershipCertain, url, ...times, inForce };
    const inbound = { journal, deduplicator, outbox, sentMessages, statuses };
    const resources = { ...settings, ...inbound, proxy, people: publisher, quiet, logger, caches, listener };

    this.#lifecycle = lifecycle;
    this.#outbox = outbox;
    this.#statusReporter = statusReporter;
    this.#pairingOffers = pairingOffers;
    this.#linkVersions = linkVersions;
    this.#linkProgress = linkProgress;
    this.#account = account;
    this.#supervisor = supervisor;
    this.#connectionFactory = new ConnectionFactory({
      fence,
      connectLimiter,
      account,
      linkVersions,
      auth,
      settings: inForce,
      stateMachine,
      resources,
    });
    this.#connectionEvents = listener;
    this.#stateMachine = stateMachine;
    this.#quiet = quiet;
    this.#silenceWatch = new SilenceWatch({ ...parts, detector: quiet });
    this.#media = media;
    this.#proxy = proxy;
    this.#caches = caches;
    this.#openSocket = openSocket;
    this.#settings = inForce;
    this.#online = online;
    this.#lists = lists;
    this.#filler = filler;
    const recipients = new Recipients(caches.recipients);
    const known = new KnownMessages({
      ...{ fence, messageSecrets, recentMessages, sentMessages, sentTo, logger },
      eventLog: store.events,
    });
    this.#commandContext = {
      get socket() {
        return openSocket.require().socket;
      },
      ...{ recipients, messages, known, statusAudiences },
      targets: new MessageTargets({ known, recipients, people }),
      contacts,
      callOffers: caches.callOffers,
      groups: new KnownGroups({ cache: caches.groups, people: publisher }),
      reloadSettings: () => this.#reloadSettings(),
      pairingCodes: new PairingCodes({ ...parts, connectTimeoutMs }),
      passkeys: new Passkeys(parts),
      ...{ media, restrictions },
      lists: new ListReader(lists, people),
      readMessages,
      files: { fence, uploads: store.uploads },
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
    return Math.max(this.#connectionEvents.lastMessageAt, this.#lastCommandAt);
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
    this.#silenceWatch.start();
    await this.#supervisor.start(this.#connectionFactory);
  }

  /**
   * Ends the session so that another worker can take it: begins nothing more, hands out and stores everything, closes
   * the connection, and sets the status `queued`. The caller must release the ownership. Idempotent.
   */
  async stop({ reason }: { reason: string }): Promise<void> {
    if (!this.#lifecycle.isRunning) return this.#outbox.idle();
    this.#lifecycle.beginStop(reason);
    this.#pairingOffers.close();
    await this.#supervisor.close();
    await this.#supervisor.current?.drain({ statusCode: 428, message: reason });
    // If this fails, nothing more can be done.
    await this.#account.current?.settle().catch(() => {});
    this.#stateMachine.queue(reason);
    await this.#settle();
  }

  /**
   * Informs the session whether Redis is reachable. While it is not, nothing is read from the socket, since a message
   * may have to be stored before it is acknowledged. If Redis is `gone`, the socket is closed. When Redis is reachable
   * again, the session resumes reading or connects again. No event is lost meanwhile.
   */
  setStorage(reach: StorageReach): void {
    if (reach === 'reachable' && this.#lifecycle.isRunning) {
      // Workers that could not see this worker's lease may have reported the session as one without a worker.
      this.#statusReporter.restate();
      // A change may have been announced meanwhile. If it cannot be read now, the next connection reads it.
      this.#reloadSettings().catch(() => {});
    }
    this.#supervisor.setStorage(reach);
  }

  /**
   * Informs the session of the stored version of its settings. It reads them if it has another one. Rejects if they
   * cannot be read now.
   */
  async noticeSettings(version: number): Promise<void> {
    if (this.#lifecycle.isRunning && version !== this.#settings.version) await this.#reloadSettings();
  }

  /** Ends the session at once and writes nothing more: the ownership is lost, or the process gives up. */
  discard(): void {
    if (!this.#lifecycle.close()) return;
    this.#silenceWatch.stop();
    // The transport comes first: from now on nothing is read, so nothing is acknowledged.
    this.#supervisor.letGo()?.discard();
    void this.#supervisor.close();
    this.#pairingOffers.offerQr();
    this.#linkVersions.connectionEnded();
    this.#linkProgress.end();
    this.#account.discard();
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
    if (!this.#lifecycle.isRunning) throw this.#statusReporter.notOpen();
    this.#lifecycle.beginUnlink();
    this.#pairingOffers.close();
    await this.#supervisor.close();
    const isLinked = this.#account.current?.isLinked ?? true;
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
        await withTimeout(this.#statusReporter.changed(), OPENING_MS);
      this.#openSocket.require();
      this.#lastCommandAt = Date.now();
    }
    try {
      return await executeInSession(this.#commandContext, kind, fields);
    } catch (error) {
      if (error instanceof FencedError) this.#lifecycle.end('fenced');
      throw error;
    }
  }

  /** Reads the stored settings, and applies them. A session whose proxy cannot be read fails. */
  async #reloadSettings(): Promise<void> {
    try {
      await this.#settings.load();
    } catch (error) {
      if (!(error instanceof ProxyUnreadableError)) throw error;
      this.#stateMachine.proxyUnreadable(error);
    }
  }

  /**
   * Applies changed settings at once, as far as a running session can. If a session that waits for a link is to say
   * something else of itself, it gets new codes, unless a phone is linking it already. If it has another proxy, its connection is ended in order, so that
   * nothing is lost, and opened again through that proxy.
   */
  #settingsChanged(before: StoredSettings, now: StoredSettings): void {
    this.#proxy.set(now.proxy);
    if (!this.#lifecycle.isRunning) return;
    this.#online.follow();
    this.#followLists(before, now);
    if (before.proxy !== now.proxy) void this.#supervisor.proxyChanged();
    else if (changesLink(before.settings, now.settings)) this.#stateMachine.deviceChanged();
  }

  /** If changes in between were missed, the lists may have been off for a moment, and an edge deleted them. */
  #followLists(before: StoredSettings, now: StoredSettings): void {
    if (before.settings.lists && !now.settings.lists) this.#outbox.run(() => this.#lists.clear());
    if (!before.settings.lists || !now.settings.lists || now.version === before.version + 1) {
      this.#filler.follow();
      return;
    }
    this.#outbox.run(async () => this.#lists.forget());
    this.#filler.lookAgain();
  }

  /** Waits until everything is stored and published, and ends the session. */
  async #settle(): Promise<void> {
    await this.#account.current?.idle();
    await this.#outbox.idle();
    this.discard();
  }
}
