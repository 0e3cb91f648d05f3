import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  CLIENT_VERSION,
  ConnectLimiter,
  SessionCaches,
  type SessionEnd,
  type StorageReach,
  WhatsAppSession,
  type WhatsAppSessionOptions,
} from '@wafleet/session';
import {
  AuthCache,
  AuthStateStore,
  type Cipher,
  ConnectRate,
  deferRemoval,
  deleteAuthState,
  EventLog,
  type EventLogBounds,
  type Fence,
  LinkOffers,
  MessageSecrets,
  NotOwnerError,
  Ownership,
  ProcessedMessages,
  ReceivedMedia,
  RecentMessages,
  type RedisConnection,
  SessionDirectory,
  type SessionRecord,
  type SessionRef,
} from '@wafleet/store';
import { ArrivalNotes } from './arrival-notes.js';
import type { OwnedSession } from './owned-session.js';
import { removeSession } from './remove-session.js';
import { SessionDrain } from './session-drain.js';
import { SessionLog } from './session-log.js';

/** How long a session that is to end waits for the commands that are being executed. */
const COMMANDS_MS = 3_000;
/** The pause between two attempts to release a session. */
const RELEASE_AGAIN_MS = 1_000;
/** Enough for what a few hundred busy sessions use between two messages; Redis has the rest. */
const AUTH_CACHE_BYTES = 64 * 1024 * 1024;

export interface OwnedSessionsOptions {
  readonly redis: RedisConnection;
  readonly cipher: Cipher;
  /** The incarnation that claims. */
  readonly worker: string;
  readonly whatsapp: WhatsAppSessionOptions['whatsapp'];
  readonly capacity: number;
  /** How much of its events a tenant's log keeps. */
  readonly eventLog: EventLogBounds;
  /** The maximum number of connects to WhatsApp per second, over all workers together. */
  readonly connectsPerSecond: number;
  /** See WhatsAppSessionOptions. */
  readonly isOwnershipCertain: () => boolean;
  /** Names the worker in each line. */
  readonly logger: Logger;
}

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}

/**
 * When the session is removed in any case, by `performance.now()`: the clock of this machine may differ from Redis'.
 */
function dueHere(record: SessionRecord | undefined): number | undefined {
  if (record?.removeBy === undefined) return undefined;
  return performance.now() + record.removeBy - (record.readAt ?? record.removeBy);
}

function noRoom(why: string): WafleetError {
  return new WafleetError('NO_WORKER', `The worker ${why}.`);
}

/** The sessions that a worker incarnation owns. Each one fails alone. */
export class OwnedSessions {
  readonly #options: OwnedSessionsOptions;
  readonly #ownership: Ownership;
  readonly #connectLimiter: ConnectLimiter;
  readonly #log: SessionLog;
  readonly #arrivals: ArrivalNotes;
  readonly #shared: Pick<
    WhatsAppSessionOptions['store'],
    | 'events'
    | 'directory'
    | 'offers'
    | 'recentMessages'
    | 'messageSecrets'
    | 'receivedMedia'
    | 'finishedMessages'
  >;
  readonly #authCache = new AuthCache({ maxBytes: AUTH_CACHE_BYTES });
  readonly #caches = new SessionCaches();
  readonly #owned = new Map<string, OwnedSession>();
  readonly #claiming = new Map<string, Promise<void>>();
  #takesNoMore = false;
  #isOver = false;

  constructor(options: OwnedSessionsOptions) {
    const { redis, cipher, eventLog } = options;
    this.#options = options;
    this.#ownership = new Ownership(redis, { logger: options.logger });
    this.#log = new SessionLog(options.logger);
    this.#arrivals = new ArrivalNotes(redis, options.logger);
    this.#connectLimiter = new ConnectLimiter({
      rate: new ConnectRate(redis, { perSecond: options.connectsPerSecond, clientVersion: CLIENT_VERSION }),
      logger: options.logger,
    });
    this.#shared = {
      events: new EventLog(redis, eventLog),
      directory: new SessionDirectory(redis, { logger: options.logger }),
      offers: new LinkOffers(redis),
      recentMessages: new RecentMessages({ redis, cipher }),
      receivedMedia: new ReceivedMedia({ redis, cipher }),
      messageSecrets: new MessageSecrets({ redis, cipher }),
      finishedMessages: new ProcessedMessages(redis),
    };
  }

  /** How many sessions are here or about to be. */
  get count(): number {
    return this.#owned.size + this.#claiming.size;
  }

  /** Whether the session is here, or about to be, or about to be given up. */
  has(ref: SessionRef): boolean {
    const key = keyOf(ref);
    return this.#owned.has(key) || this.#claiming.has(key);
  }

  /** Open sessions that may move to another worker, the longest idle ones first. */
  idleCandidates(count: number): SessionRef[] {
    return [...this.#owned.values()]
      .filter(({ session }) => session.status === 'open')
      .sort((a, b) => a.session.lastActiveAt - b.session.lastActiveAt)
      .slice(0, count)
      .map(({ fence: { tenantId, sessionId } }) => ({ tenantId, sessionId }));
  }

  /**
   * Claims a session and opens it. A session that is here already is removed if a removal was noted meanwhile, and
   * otherwise left unchanged.
   * @param expectPrevious a worker that the sender knows to be dead.
   * @throws {WafleetError} NO_WORKER if this worker takes no more sessions or another one owns it; SESSION_NOT_FOUND.
   */
  assign(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const key = keyOf(ref);
    const running = this.#claiming.get(key);
    if (running !== undefined) return running;
    const here = this.#owned.get(key);
    const claiming =
      here === undefined ? this.#claim(ref, expectPrevious) : this.#claimAgain(here, expectPrevious);
    const claim = claiming.finally(() => this.#claiming.delete(key));
    this.#claiming.set(key, claim);
    return claim;
  }

  /**
   * Lets a session execute a command. A handover of the session waits for the command. A session that is being handed
   * over takes no more commands.
   * @throws {NotOwnerError} also for a session that is being handed over. Rejects with what `command` rejects with.
   */
  async use<T>(ref: SessionRef, command: (session: WhatsAppSession) => Promise<T>): Promise<T> {
    const { session, commands } = this.#find(ref);
    const work = command(session);
    const settled = work.then(
      () => {},
      () => {},
    );
    commands.add(settled);
    try {
      return await work;
    } finally {
      commands.delete(settled);
    }
  }

  /**
   * Logs the session out at WhatsApp, wipes its keys and gives it up. A session that is to be removed is waited for
   * until it is open, and purged. Resolves to whether no phone lists the device any more.
   * @throws {NotOwnerError}
   */
  async unlink(ref: SessionRef): Promise<{ isUnlinked: boolean }> {
    const owned = this.#find(ref);
    const removeBy = dueHere(await this.#shared.directory.get(ref));
    if (removeBy !== undefined) return this.#remove(owned, removeBy);
    const unlinked = await owned.session.unlink();
    await this.#giveUp(owned, 'unlinked');
    return unlinked;
  }

  /**
   * Ends the session so that another worker can take it. A session that is not here, although Redis names this worker
   * as its owner, is released all the same: an earlier release may have failed.
   * @throws {NotOwnerError}
   */
  async release(ref: SessionRef, reason: string): Promise<void> {
    if (!this.#owned.has(keyOf(ref))) await this.#releaseAbsent(ref, reason);
    const owned = this.#find(ref);
    owned.isLeaving = true;
    await Promise.race([Promise.all(owned.commands), delay(COMMANDS_MS, undefined, { ref: false })]);
    await owned.session.stop({ reason });
    await this.#giveUp(owned, reason);
  }

  /**
   * Takes no more sessions, waits for this worker's turn, and hands all over, the longest idle ones first. A session
   * that is not handed over in time is closed without a release, for others to take when this worker's lease has ended.
   * @throws {DrainTimeoutError}
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#takesNoMore = true;
    const { redis, worker, logger } = this.#options;
    const drain = new SessionDrain({
      ...{ redis, worker, timeoutMs, logger },
      directory: this.#shared.directory,
      log: this.#log,
      owned: () => [...this.#owned.values()],
      isStaying: (owned) => !owned.isLeaving && this.#owned.get(keyOf(owned.fence)) === owned,
      claimsSettled: () => Promise.allSettled(this.#claiming.values()),
      release: (ref) => this.release(ref, 'drain'),
      discardAll: () => this.discardAll('drain-timeout'),
    });
    try {
      await drain.run();
    } finally {
      this.#isOver = true;
    }
  }

  /** When WhatsApp last delivered something to each open session, ms since 1970; 0 if it has not. */
  lastStanzas(): number[] {
    return [...this.#owned.values()]
      .filter(({ session }) => session.status === 'open')
      .map(({ session }) => session.lastStanzaAt);
  }

  /** Writes to the directory when WhatsApp last delivered something, where that is due. Never rejects. */
  noteArrivals(): Promise<void> {
    return this.#arrivals.write(this.#owned.values());
  }

  /** Informs every session whether Redis can be reached. */
  setStorage(reach: StorageReach): void {
    for (const { session } of this.#owned.values()) session.setStorage(reach);
  }

  /** Gives up the sessions that now belong to another worker according to Redis. */
  discardForeign(): Promise<{ kept: number; lost: number }> {
    return this.#discardForeign([...this.#owned.values()]);
  }

  /** Closes every socket at once and writes nothing more. */
  discardAll(reason: 'lease-lost' | 'drain-timeout' = 'lease-lost'): void {
    this.#takesNoMore = true;
    this.#isOver = true;
    for (const { session, fence } of this.#owned.values()) {
      session.discard();
      this.#log.lost(fence, reason);
    }
    this.#owned.clear();
  }

  async #discardForeign(all: readonly OwnedSession[]): Promise<{ kept: number; lost: number }> {
    const records = await this.#ownership.readMany(all.map(({ fence }) => fence));
    const lost = all.filter(({ fence }, index) => {
      const record = records[index];
      return record?.epoch !== fence.epoch || record.worker !== fence.worker;
    });
    for (const owned of lost) {
      owned.session.discard();
      this.#forget(owned);
      this.#log.lost(owned.fence, 'fenced');
      void this.#claimIfForgotten(owned.fence);
    }
    return { kept: all.length - lost.length, lost: lost.length };
  }

  #find(ref: SessionRef): OwnedSession {
    const owned = this.#owned.get(keyOf(ref));
    if (owned === undefined || owned.isLeaving) throw new NotOwnerError(ref);
    return owned;
  }

  /** A session that is here may have been lost without notice, if a failover of Redis lost its claim. */
  async #claimAgain(here: OwnedSession, expectPrevious: string | undefined): Promise<void> {
    const { lost } = await this.#discardForeign([here]);
    if (lost > 0) {
      await this.#claim(here.fence, expectPrevious);
      return;
    }
    const removeBy = dueHere(await this.#shared.directory.get(here.fence));
    if (removeBy !== undefined && !here.isLeaving) this.#remove(here, removeBy).catch(() => {});
  }

  async #claim(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const { worker, capacity } = this.#options;
    const refuse = (reason: string, ownerId?: string) => {
      this.#log.claimRefused(ref, reason, ownerId);
      return noRoom(ownerId === undefined ? reason : `${reason}, ${ownerId} is`);
    };
    if (this.#takesNoMore) throw refuse('takes no more sessions');
    if (this.count >= capacity) throw refuse('is full');
    const claim = await this.#ownership.claim(ref, { worker, expectPrevious }).catch((error: unknown) => {
      // Redis may have executed the claim.
      this.#retryRelease(() => this.#releaseAbsent(ref, 'claim-unanswered'));
      throw error;
    });
    if ('refusedBy' in claim) throw refuse('is not the owner', claim.refusedBy.worker ?? 'no worker');
    if (this.#takesNoMore) {
      await this.#ownership.release(claim.fence);
      throw refuse('takes no more sessions');
    }
    this.#log.claimed(claim.fence, claim.previousWorker);
    const record = await this.#shared.directory.get(ref).catch((error: unknown) => {
      this.#retryRelease(() => this.#release(claim.fence, 'claim-unanswered'));
      throw error;
    });
    // All sessions were given up meanwhile, and nothing would discard this one.
    if (this.#isOver) throw refuse('takes no more sessions');
    const removeBy = dueHere(record);
    const owned = this.#open(claim.fence);
    if (removeBy === undefined) return;
    // The reason why it could not be removed is in the log already.
    this.#remove(owned, removeBy).catch(() => {});
  }

  #remove(owned: OwnedSession, removeBy: number): Promise<{ isUnlinked: boolean }> {
    const { fence, session } = owned;
    owned.removal ??= removeSession({
      ...{ fence, session, removeBy },
      directory: this.#shared.directory,
      log: this.#log,
      defer: () => deferRemoval(this.#options.redis, fence),
      isOwned: () => this.#owned.get(keyOf(fence)) === owned && !owned.isLeaving,
    }).finally(() => this.#giveUp(owned, 'removal'));
    return owned.removal;
  }

  #open(fence: Fence): OwnedSession {
    const { redis, cipher, whatsapp, isOwnershipCertain, logger } = this.#options;
    const owned: OwnedSession = {
      fence,
      commands: new Set(),
      isLeaving: false,
      session: new WhatsAppSession({
        fence,
        store: {
          ...this.#shared,
          auth: new AuthStateStore({ redis, cipher, fence, cache: this.#authCache, logger }),
          deleteAuth: () => deleteAuthState(redis, fence),
        },
        whatsapp,
        isOwnershipCertain,
        connectLimiter: this.#connectLimiter,
        caches: this.#caches,
        logger,
        onEnded: (end) => this.#onEnded(owned, end),
      }),
    };
    this.#owned.set(keyOf(fence), owned);
    void owned.session.start();
    return owned;
  }

  #onEnded(owned: OwnedSession, end: SessionEnd): void {
    const { tenantId, sessionId } = owned.fence;
    if (end === 'fenced') {
      this.#forget(owned);
      this.#log.lost(owned.fence, 'fenced');
      void this.#claimIfForgotten(owned.fence);
    } else if (owned.removal === undefined) {
      this.#giveUp(owned, end).catch((error: unknown) => {
        this.#options.logger.warn({ err: error, tenantId, sessionId }, 'a session could not be released');
      });
    }
  }

  /** Retries until Redis accepts it: no other worker may claim a session that names a living owner. */
  #retryRelease(release: () => Promise<void>): void {
    const timer = setTimeout(() => {
      if (this.#isOver) return;
      release().catch(() => this.#retryRelease(release));
    }, RELEASE_AGAIN_MS);
    timer.unref();
  }

  async #releaseAbsent(ref: SessionRef, reason: string): Promise<void> {
    const { worker } = this.#options;
    const record = await this.#ownership.read(ref);
    if (this.has(ref) || record?.worker !== worker) return;
    // A claim that comes meanwhile raises the epoch, which makes this fence void.
    const { tenantId, sessionId } = ref;
    await this.#release({ tenantId, sessionId, epoch: record.epoch, worker }, reason);
  }

  /**
   * An epoch never falls. So a record with an earlier epoch than a lost session had is left by a failover of Redis that
   * lost the claim. The owner that the record names had given the session up, or was dead. If it is alive, it does not
   * know that the session is its own again, and no other worker would look after it.
   */
  async #claimIfForgotten(lost: Fence): Promise<void> {
    const { tenantId, sessionId, epoch } = lost;
    const logger = this.#options.logger.child({ tenantId, sessionId });
    try {
      const record = await this.#ownership.read(lost);
      if (record === undefined || record.epoch >= epoch || this.#takesNoMore) return;
      await this.assign({ tenantId, sessionId }, record.worker);
      logger.info('a claim that Redis lost was repeated');
    } catch (error) {
      logger.warn({ err: error }, 'a claim that Redis lost could not be repeated');
    }
  }

  async #release(fence: Fence, reason: string): Promise<void> {
    if (await this.#ownership.release(fence)) this.#log.released(fence, reason);
  }

  async #giveUp(owned: OwnedSession, reason: string): Promise<void> {
    try {
      await this.#release(owned.fence, reason);
    } catch (error) {
      this.#retryRelease(() => this.#release(owned.fence, reason));
      throw error;
    } finally {
      this.#forget(owned);
    }
  }

  #forget(owned: OwnedSession): void {
    const key = keyOf(owned.fence);
    // After a takeover and back the key may stand for a newer object.
    if (this.#owned.get(key) === owned) this.#owned.delete(key);
  }
}
