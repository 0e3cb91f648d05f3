import { WafleetError } from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import type { SessionEnd, StorageReach, WhatsAppSession } from '@wafleet/session';
import {
  deferRemoval,
  type ExportRequest,
  type Fence,
  NotOwnerError,
  Ownership,
  type SessionRecord,
  type SessionRef,
} from '@wafleet/store';
import { ArrivalNotes } from './arrival-notes.js';
import type { OwnedSession } from './owned-session.js';
import { removeSession } from './remove-session.js';
import { SessionDrain } from './session-drain.js';
import { SessionFactory, type SessionFactoryOptions } from './session-factory.js';
import { SessionLog } from './session-log.js';
import { SessionReleases } from './session-releases.js';
import { SessionTable } from './session-table.js';
import { dueHere, exportWanted, needsOpening, wasHandedOut } from './session-wishes.js';
import { SettingsWatch } from './settings-watch.js';

/** How long a session that is to end waits for the commands that are being executed. */
const COMMANDS_MS = 3_000;

export interface OwnedSessionsOptions extends SessionFactoryOptions {
  /** The incarnation that claims. */
  readonly worker: string;
  readonly capacity: number;
}

function noRoom(why: string): WafleetError {
  return new WafleetError('NO_WORKER', `The worker ${why}.`);
}

/** The sessions that a worker incarnation owns. Each one fails alone. */
export class OwnedSessions {
  readonly #options: OwnedSessionsOptions;
  readonly #ownership: Ownership;
  readonly #factory: SessionFactory;
  readonly #log: SessionLog;
  readonly #arrivals: ArrivalNotes;
  readonly #settingsWatch: SettingsWatch;
  readonly #table = new SessionTable();
  readonly #releases: SessionReleases;
  #takesNoMore = false;
  #isOver = false;

  constructor(options: OwnedSessionsOptions) {
    const { redis, worker, logger } = options;
    this.#options = options;
    this.#ownership = new Ownership(redis, { logger });
    this.#factory = new SessionFactory(options);
    this.#log = new SessionLog(logger);
    this.#arrivals = new ArrivalNotes(redis, logger);
    this.#settingsWatch = new SettingsWatch({ store: this.#factory.settings, logger });
    const parts = { ownership: this.#ownership, table: this.#table, log: this.#log };
    this.#releases = new SessionReleases({ worker, ...parts });
  }

  /** How many sessions are here or about to be. */
  get count(): number {
    return this.#table.count;
  }

  /** See ConnectLimiter. */
  get openVersions(): ReadonlyMap<string, number> {
    return this.#factory.connectLimiter.openVersions;
  }

  /** See ConnectLimiter. */
  get versionRefusals(): number {
    return this.#factory.connectLimiter.refusals;
  }

  /** See ConnectLimiter. */
  get heldByVersion(): number {
    return this.#factory.connectLimiter.heldSessions;
  }

  /** Whether the session is here, or about to be, or about to be given up. */
  has(ref: SessionRef): boolean {
    return this.#table.has(ref);
  }

  /** Open sessions that may move to another worker, the longest idle ones first. */
  idleCandidates(count: number): SessionRef[] {
    return this.#table
      .all()
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
    return this.#table.claimOnce(ref, () => {
      const here = this.#table.get(ref);
      return here === undefined ? this.#claim(ref, expectPrevious) : this.#claimAgain(here, expectPrevious);
    });
  }

  /**
   * Lets a session execute a command. A handover of the session waits for the command. A session that is being handed
   * over takes no more commands. The command waits for a claim that is being made: edges know the owner before it ends,
   * and would not ask the same worker again.
   * @throws {NotOwnerError} also for a session that is being handed over. Rejects with what `command` rejects with.
   */
  async use<T>(ref: SessionRef, command: (session: WhatsAppSession) => Promise<T>): Promise<T> {
    await this.#table.claimSettled(ref);
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
   * until it is open, and purged. One that is being handed out is waited for. Resolves to whether no phone lists the device any more.
   * @throws {NotOwnerError}
   */
  async unlink(ref: SessionRef): Promise<{ isUnlinked: boolean }> {
    await this.#table.claimSettled(ref);
    await this.#table.handOutOf(ref)?.done;
    const owned = this.#find(ref);
    const removeBy = dueHere(await this.#factory.directory.get(ref));
    if (removeBy !== undefined) return this.#remove(owned, removeBy);
    const unlinked = await owned.session.unlink();
    await this.#releases.giveUp(owned, 'unlinked');
    return unlinked;
  }

  /**
   * Ends the session so that another worker can take it. A session that is not here, although Redis names this worker
   * as its owner, is released all the same: an earlier release may have failed.
   * @throws {NotOwnerError}
   */
  async release(ref: SessionRef, reason: string): Promise<void> {
    if (this.#table.get(ref) === undefined) await this.#releases.releaseAbsent(ref, reason);
    const owned = this.#find(ref);
    owned.isLeaving = true;
    await withTimeout(Promise.all(owned.commands), COMMANDS_MS);
    await owned.session.stop({ reason });
    await this.#releases.giveUp(owned, reason);
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
      directory: this.#factory.directory,
      log: this.#log,
      table: this.#table,
      release: (ref) => this.release(ref, 'drain'),
      discardAll: () => this.discardAll('drain-timeout'),
    });
    try {
      await drain.run();
    } finally {
      this.#close();
    }
  }

  /** When WhatsApp last delivered something to each open session, ms since 1970; 0 if it has not. */
  lastStanzas(): number[] {
    return this.#table
      .all()
      .filter(({ session }) => session.status === 'open')
      .map(({ session }) => session.lastStanzaAt);
  }

  /** Writes to the directory when WhatsApp last delivered something, where that is due. Never rejects. */
  noteArrivals(): Promise<void> {
    return this.#arrivals.write(this.#table.all());
  }

  /** Has some of the sessions read their settings, if those were changed unnoticed. Never rejects. */
  noticeSettings(): Promise<void> {
    return this.#settingsWatch.look(() => this.#table.all());
  }

  /** Informs every session whether Redis can be reached. */
  setStorage(reach: StorageReach): void {
    for (const { session } of this.#table.all()) session.setStorage(reach);
  }

  /** Gives up the sessions that now belong to another worker according to Redis. */
  discardForeign(): Promise<{ kept: number; lost: number }> {
    return this.#discardForeign(this.#table.all());
  }

  /** Closes every socket at once and writes nothing more. */
  discardAll(reason: 'lease-lost' | 'drain-timeout' = 'lease-lost'): void {
    this.#takesNoMore = true;
    this.#close();
    for (const { session, fence } of this.#table.all()) {
      session.discard();
      this.#log.lost(fence, reason);
    }
    this.#table.clear();
  }

  /** Nothing is claimed or released any more. */
  #close(): void {
    this.#isOver = true;
    this.#releases.close();
  }

  async #discardForeign(all: readonly OwnedSession[]): Promise<{ kept: number; lost: number }> {
    const records = await this.#ownership.readMany(all.map(({ fence }) => fence));
    const lost = all.filter(({ fence }, index) => {
      const record = records[index];
      return record?.epoch !== fence.epoch || record.worker !== fence.worker;
    });
    for (const owned of lost) {
      owned.session.discard();
      this.#table.forget(owned);
      this.#log.lost(owned.fence, 'fenced');
      void this.#claimIfForgotten(owned.fence);
    }
    return { kept: all.length - lost.length, lost: lost.length };
  }

  #find(ref: SessionRef): OwnedSession {
    const owned = this.#table.get(ref);
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
    const removeBy = dueHere(await this.#factory.directory.get(here.fence));
    if (removeBy !== undefined && !here.isLeaving) this.#remove(here, removeBy).catch(() => {});
  }

  async #claim(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const { worker, capacity } = this.#options;
    const handOut = this.#table.handOutOf(ref);
    // Another claim would fence it off.
    if (handOut !== undefined && (await this.#owns(handOut.fence))) return;
    const refuse = (reason: string, ownerId?: string) => {
      this.#log.claimRefused(ref, reason, ownerId);
      return noRoom(ownerId === undefined ? reason : `${reason}, ${ownerId} is`);
    };
    if (this.#takesNoMore) throw refuse('takes no more sessions');
    if (this.count >= capacity) throw refuse('is full');
    const claim = await this.#ownership.claim(ref, { worker, expectPrevious }).catch((error: unknown) => {
      // Redis may have executed the claim.
      this.#releases.retry(() => this.#releases.releaseAbsent(ref, 'claim-unanswered'));
      throw error;
    });
    if ('refusedBy' in claim) throw refuse('is not the owner', claim.refusedBy.worker ?? 'no worker');
    if (this.#takesNoMore) {
      await this.#ownership.release(claim.fence);
      throw refuse('takes no more sessions');
    }
    this.#log.claimed(claim.fence, claim.previousWorker);
    const record = await this.#factory.directory.get(ref).catch((error: unknown) => {
      this.#releases.retry(() => this.#releases.release(claim.fence, 'claim-unanswered'));
      throw error;
    });
    // All sessions were given up meanwhile, and nothing would discard this one.
    if (this.#isOver) throw refuse('takes no more sessions');
    const wanted = exportWanted(record);
    if (wanted !== undefined) {
      this.#table.addHandOut({ fence: claim.fence, done: this.#handOut(claim.fence, wanted) });
      return;
    }
    if (record !== undefined && wasHandedOut(record)) {
      // The placer read of another export, which has ended meanwhile.
      await this.#releases.release(claim.fence, 'exported');
      throw refuse('does not open what was handed out');
    }
    this.#begin(claim.fence, record);
  }

  /** Opens a claimed session, or removes it if that was noted. */
  #begin(fence: Fence, record: SessionRecord | undefined): void {
    const owned = this.#open(fence, record?.importedAt);
    const removeBy = dueHere(record);
    // The reason why it could not be removed is in the log already.
    if (removeBy !== undefined) this.#remove(owned, removeBy).catch(() => {});
  }

  async #owns(fence: Fence): Promise<boolean> {
    const record = await this.#ownership.read(fence);
    return record?.epoch === fence.epoch && record.worker === fence.worker;
  }

  #remove(owned: OwnedSession, removeBy: number): Promise<{ isUnlinked: boolean }> {
    const { fence, session } = owned;
    owned.removal ??= removeSession({
      ...{ fence, session, removeBy },
      directory: this.#factory.directory,
      log: this.#log,
      defer: () => deferRemoval(this.#options.redis, fence),
      isOwned: () => this.#table.isStaying(owned),
    }).finally(() => this.#releases.giveUp(owned, 'removal'));
    return owned.removal;
  }

  /**
   * Hands the credentials out and gives the session up. If nothing was handed out, the session goes on as its record now
   * says: it is opened or removed, unless it rests. Never rejects.
   */
  async #handOut(fence: Fence, request: ExportRequest): Promise<void> {
    try {
      const isExported = await this.#factory.export(fence, request);
      const record = isExported ? undefined : await this.#factory.directory.get(fence);
      if (this.#isOver) return;
      const another = exportWanted(record);
      if (another !== undefined) {
        await this.#handOut(fence, another);
      } else if (record === undefined || this.#takesNoMore || !needsOpening(record)) {
        await this.#releases.release(fence, isExported ? 'exported' : 'export-failed');
      } else {
        this.#begin(fence, record);
      }
    } catch (error) {
      const { tenantId, sessionId } = fence;
      this.#options.logger.warn({ err: error, tenantId, sessionId }, 'a session could not be handed out');
      this.#releases.retry(() => this.#releases.release(fence, 'export-failed'));
    }
  }

  #open(fence: Fence, importedAt: number | undefined): OwnedSession {
    const owned: OwnedSession = {
      fence,
      commands: new Set(),
      isLeaving: false,
      session: this.#factory.create(fence, { importedAt, onEnded: (end) => this.#onEnded(owned, end) }),
    };
    this.#table.add(owned);
    void owned.session.start();
    return owned;
  }

  #onEnded(owned: OwnedSession, end: SessionEnd): void {
    const { tenantId, sessionId } = owned.fence;
    if (end === 'fenced') {
      this.#table.forget(owned);
      this.#log.lost(owned.fence, 'fenced');
      void this.#claimIfForgotten(owned.fence);
    } else if (owned.removal === undefined) {
      this.#releases.giveUp(owned, end).catch((error: unknown) => {
        this.#options.logger.warn({ err: error, tenantId, sessionId }, 'a session could not be released');
      });
    }
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
}
