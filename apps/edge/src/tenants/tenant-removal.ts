import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type {
  ApiKeys,
  SessionPages,
  SessionRecord,
  TenantRemovalState,
  TenantRemovals,
} from '@wafleet/store';
import type { SessionRemoval } from '../sessions/session-removal.js';
import type { KeyRevocation } from '../sockets/key-revocation.js';

/** How many sessions of a tenant are removed at a time. */
const AT_ONCE = 10;
const PAGE = 100;
const LOOK_MS = 100;
/**
 * When sessions are wiped that no worker has unlinked, ms: their keys are kept for an hour, and the worker or the sweeps
 * of placers remove them then.
 */
const FORCE_AFTER_MS = 70 * 60 * 1000;

export interface TenantRemovalTimes {
  /** How long a request waits for the end of a removal, ms. */
  readonly waitMs: number;
  /** How often an edge looks for removals to go on with, ms. */
  readonly sweepMs: number;
  /**
   * What calls that were under way may still write after everything was wiped, ms: longer than a call takes and than
   * edges remember an API key.
   */
  readonly settleMs: number;
}

export const TENANT_REMOVAL_TIMES: TenantRemovalTimes = { waitMs: 8_000, sweepMs: 15_000, settleMs: 120_000 };

interface TenantRemovalResources {
  readonly edgeId: string;
  readonly removals: TenantRemovals;
  readonly pages: SessionPages;
  readonly apiKeys: ApiKeys;
  readonly revocation: Pick<KeyRevocation, 'revoke'>;
  readonly sessions: SessionRemoval;
  readonly logger: Logger;
}

interface Request {
  readonly force: boolean;
  readonly requestId?: string;
}

/**
 * Removes tenants. The mark comes first, and all other steps can be repeated: revoke the API keys, remove the sessions,
 * wipe what is left, and wipe once more what calls that were under way have written. A sweep of any edge goes on with a
 * removal whose edge has ended.
 */
export class TenantRemoval {
  readonly #resources: TenantRemovalResources;
  readonly #times: TenantRemovalTimes;
  readonly #sweeping: NodeJS.Timeout;
  readonly #underWay = new Map<string, Promise<boolean>>();
  #isSweeping = false;
  #isClosed = false;

  constructor(resources: TenantRemovalResources, times: TenantRemovalTimes) {
    this.#resources = resources;
    this.#times = times;
    this.#sweeping = setInterval(() => void this.sweep(), times.sweepMs);
  }

  /** Starts no further step. Another edge goes on. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#sweeping);
  }

  /**
   * Begins to remove a tenant, or goes on. Once it resolves, no API key of the tenant is valid and nothing can be made in
   * it. Waits some seconds for the sessions.
   * @returns whether nothing is left of it.
   * @throws {WafleetError} TENANT_NOT_FOUND
   */
  async remove(tenantId: string, request: Request): Promise<boolean> {
    await this.#resources.removals.mark(tenantId);
    await this.#revokeKeys(tenantId);
    const waiting = new AbortController();
    const removing = this.#removeAll(tenantId, request);
    const late = delay(this.#times.waitMs, false, { signal: waiting.signal }).catch(() => false);
    try {
      return await Promise.race([removing, late]);
    } finally {
      waiting.abort();
    }
  }

  /** Goes on with each removal that no other edge goes on with. Never rejects. */
  async sweep(): Promise<void> {
    const { removals, logger } = this.#resources;
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    try {
      const pending = await removals.pending();
      for (const tenantId of pending) {
        if (this.#isClosed) return;
        await this.#goOn(tenantId).catch((error: unknown) => this.#failed(tenantId, error));
      }
    } catch (error) {
      logger.warn({ err: error }, 'removals of tenants could not be looked for');
    } finally {
      this.#isSweeping = false;
    }
  }

  async #goOn(tenantId: string): Promise<void> {
    const { removals, edgeId } = this.#resources;
    const state = (await removals.get(tenantId)) ?? (await this.#markLate(tenantId));
    if (state === undefined || !(await removals.takeTurn(tenantId, edgeId))) return;
    await this.#revokeKeys(tenantId);
    if (state.purgedAt === undefined) {
      await this.#removeAll(tenantId, { force: Date.now() - state.since > FORCE_AFTER_MS });
      return;
    }
    if (Date.now() - state.purgedAt >= this.#times.settleMs) await removals.finish(tenantId);
    await removals.endTurn(tenantId);
  }

  /**
   * Marks a listed tenant whose edge ended before it did so. Undefined, and off the list, if there is no such tenant:
   * without a mark nothing may be wiped, since the names of all kinds of keys begin alike.
   */
  async #markLate(tenantId: string): Promise<TenantRemovalState | undefined> {
    const { removals } = this.#resources;
    try {
      await removals.mark(tenantId);
    } catch (error) {
      if (error instanceof WafleetError && error.code === 'TENANT_NOT_FOUND') return undefined;
      throw error;
    }
    return removals.get(tenantId);
  }

  async #revokeKeys(tenantId: string): Promise<void> {
    const { apiKeys, revocation } = this.#resources;
    for (const keyId of await apiKeys.ids(tenantId)) {
      await revocation.revoke(keyId).catch((error: unknown) => {
        if (!(error instanceof WafleetError) || error.code !== 'KEY_NOT_FOUND') throw error;
      });
    }
  }

  /**
   * Removes the sessions, and everything else once they are gone. Resolves to whether nothing is left. Never rejects.
   * This edge does it once at a time for each tenant, unless it is to be forced.
   */
  #removeAll(tenantId: string, request: Request): Promise<boolean> {
    const underWay = request.force ? undefined : this.#underWay.get(tenantId);
    if (underWay !== undefined) return underWay;
    const removing = this.#removeSessions(tenantId, request)
      .catch((error: unknown) => this.#failed(tenantId, error))
      .finally(() => {
        if (this.#underWay.get(tenantId) === removing) this.#underWay.delete(tenantId);
      });
    this.#underWay.set(tenantId, removing);
    return removing;
  }

  async #removeSessions(tenantId: string, request: Request): Promise<boolean> {
    const { removals, pages, edgeId } = this.#resources;
    if (!(await removals.takeTurn(tenantId, edgeId)) && !request.force) return this.#isPurged(tenantId);
    for await (const page of pages.pages(tenantId, { limit: PAGE })) {
      for (let from = 0; from < page.length; from += AT_ONCE) {
        if (this.#isClosed) return false;
        await removals.takeTurn(tenantId, edgeId);
        const some = page.slice(from, from + AT_ONCE);
        await Promise.all(some.map((session) => this.#removeSession(session, request)));
      }
    }
    const { sessionsLeft = 0 } = (await removals.get(tenantId)) ?? {};
    const isDone = sessionsLeft === 0 || request.force;
    if (isDone) await removals.purge(tenantId);
    else await removals.endTurn(tenantId);
    return isDone;
  }

  /** Waits while another edge goes on with the removal. */
  async #isPurged(tenantId: string): Promise<boolean> {
    const giveUpAt = performance.now() + this.#times.waitMs;
    while (performance.now() < giveUpAt && !this.#isClosed) {
      const state = await this.#resources.removals.get(tenantId);
      if (state === undefined || state.purgedAt !== undefined) return true;
      await delay(LOOK_MS);
    }
    return false;
  }

  /** A session that cannot be removed now holds up no other one. */
  async #removeSession({ tenantId, sessionId }: SessionRecord, request: Request): Promise<void> {
    const { sessions, logger } = this.#resources;
    try {
      await sessions.remove({ tenantId, sessionId }, request);
    } catch (error) {
      const { requestId } = request;
      logger.info(
        { err: error, requestId, tenantId, sessionId },
        'a session of a removed tenant is left for now',
      );
    }
  }

  #failed(tenantId: string, error: unknown): false {
    this.#resources.logger.warn({ err: error, tenantId }, 'the removal of a tenant goes on later');
    return false;
  }
}
