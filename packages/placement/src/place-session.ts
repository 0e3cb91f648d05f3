import { isResting } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import {
  type CommandClient,
  NotOwnerError,
  type SessionDirectory,
  type SessionRef,
  type WorkerRegistry,
} from '@wafleet/store';
import { needsWorker, needsWorkerNow } from './needs-worker.js';
import type { PlacementRequest } from './placement-request.js';
import { type Choice, chooseWorker } from './policies/choose-worker.js';
import type { RandomSource } from './policies/power-of-two-choices.js';
import type { RecentAssignments } from './recent-assignments.js';

/** Workers asked one after another within one attempt. */
const CANDIDATES = 3;
/** The free room belongs to sessions that have waited for longer. */
const NOT_ITS_TURN: Choice = { none: 'no worker has room' };

export interface PlacementResources {
  readonly sessions: SessionDirectory;
  readonly workers: WorkerRegistry;
  readonly commands: CommandClient;
  readonly recent: RecentAssignments;
  readonly random: RandomSource;
  /** Whether it is this request's turn, if others wait for the same room. */
  readonly mayTakeRoom: () => Promise<boolean>;
  readonly logger: Logger;
}

/**
 * What became of a request. `placed`: that worker claimed the session. `unneeded`: nothing was to be done.
 * `waits`: no worker can take the session now.
 */
export type PlacementOutcome =
  | { readonly placed: string }
  | { readonly unneeded: string }
  | { readonly waits: string };

/**
 * Finds the session a worker, unless the request is already fulfilled: it reads the session's record and owner, chooses
 * a worker, and asks it to claim the session, naming a dead owner as evidence. The claim decides, so that two placers
 * at work on one session, or a reply that was lost, do no harm. A session that stays without a worker shows why.
 *
 * @throws {Error} if the workers it asked did not take the session, or Redis is out of reach.
 */
export async function placeSession(
  request: PlacementRequest,
  resources: PlacementResources,
): Promise<PlacementOutcome> {
  const { sessions, commands, recent, logger } = resources;
  const ref: SessionRef = { tenantId: request.tenantId, sessionId: request.sessionId };
  const failed: string[] = [];

  for (;;) {
    // Read again for each candidate: one whose reply was lost may have claimed the session.
    const session = await lookAt(ref, request, resources);
    if ('unneeded' in session) return session;
    if ('toRemove' in session) return remindOf(ref, session.toRemove, resources);
    const { deadOwner, moveFrom, isAtRest = false } = session;

    if (failed.length === CANDIDATES) return giveUp(ref, { deadOwner, isAtRest }, resources);
    const avoid = [...request.avoid, ...failed, ...(moveFrom === undefined ? [] : [moveFrom])];
    const only = moveFrom === undefined ? undefined : request.to;
    const found = await choose({ avoid, only }, resources);
    const choice = 'none' in found || (await resources.mayTakeRoom()) ? found : NOT_ITS_TURN;
    if ('none' in choice) {
      if (failed.length > 0) return giveUp(ref, { deadOwner, isAtRest }, resources);
      if (moveFrom === undefined && !isAtRest) await sessions.markQueued(ref, choice.none, deadOwner);
      return moveFrom !== undefined && request.reason === 'rebalance'
        ? { unneeded: choice.none }
        : { waits: choice.none };
    }

    if (moveFrom !== undefined) await release(moveFrom, ref, commands);
    const { id } = choice.worker;
    const assigning = recent.begin(choice.worker);
    try {
      const evidence = deadOwner === undefined ? {} : { expectPrevious: deadOwner };
      const assign = { kind: 'assign', ...ref, ...evidence } as const;
      const { sessions: load } = await commands.call(id, assign);
      // A worker that has not noticed that it lost the session still counts it as its own.
      if ((await sessions.get(ref))?.worker === id) {
        assigning.succeeded(load);
        return { placed: id };
      }
      throw new Error('the worker agreed but does not own the session');
    } catch (error) {
      logger.warn({ ...ref, workerId: id, err: error }, 'a worker did not take a session');
      assigning.failed();
      failed.push(id);
    }
  }
}

/**
 * What the session needs now. It has no owner, a dead owner, or a live owner. The live owner is to hand it over, or may
 * not know that it is to remove it.
 */
type Need =
  | { readonly unneeded: string }
  | { readonly toRemove: string }
  | {
      readonly deadOwner?: string | undefined;
      readonly moveFrom?: string;
      /** It is only to hand its credentials out, and keeps its status. */
      readonly isAtRest?: boolean;
    };

async function lookAt(
  ref: SessionRef,
  request: PlacementRequest,
  resources: PlacementResources,
): Promise<Need> {
  const session = await resources.sessions.get(ref);
  if (session === undefined) return { unneeded: 'the session is gone' };
  if (!needsWorker(session)) return { unneeded: `the session is ${session.status}` };

  const owner = session.worker;
  const alive = await resources.workers.aliveIds(owner === undefined ? [] : [owner]);
  if (owner === undefined || !alive.has(owner)) {
    const isAtRest = session.removeBy === undefined && isResting(session.status);
    return needsWorkerNow(session)
      ? { deadOwner: owner, isAtRest }
      : { unneeded: 'its removal is tried again later' };
  }

  const isMove = request.reason === 'drain' || request.reason === 'rebalance';
  if (!isMove && session.removeBy !== undefined) return { toRemove: owner };
  // A session that connects, or is about to be linked, is better left alone.
  if (request.reason === 'rebalance' && session.status !== 'open') {
    return { unneeded: `the session is ${session.status}` };
  }
  return isMove && (request.expectPrevious ?? owner) === owner
    ? { moveFrom: owner }
    : { unneeded: `worker ${owner} has the session` };
}

/**
 * Asks the owner to check whether the session is to be removed: the process that noted it may not have reached the
 * owner.
 */
async function remindOf(
  ref: SessionRef,
  owner: string,
  { commands, logger }: PlacementResources,
): Promise<PlacementOutcome> {
  try {
    await commands.call(owner, { kind: 'assign', ...ref });
    return { unneeded: `worker ${owner} removes the session` };
  } catch (error) {
    logger.warn({ ...ref, workerId: owner, err: error }, 'a worker could not be asked to remove a session');
    return { waits: `worker ${owner} did not answer` };
  }
}

/** @param among.only the only worker to consider. Default: all workers. */
async function choose(
  among: { readonly avoid: readonly string[]; readonly only: string | undefined },
  { recent, workers, random }: PlacementResources,
): Promise<Choice> {
  const { avoid, only } = among;
  const listed = recent.addTo(await workers.list());
  const candidates = only === undefined ? listed : listed.filter(({ id }) => id === only);
  return chooseWorker(candidates, { avoid: new Set(avoid), random });
}

/** Resolves when the worker has handed the session over, or does not have it any more. */
async function release(worker: string, ref: SessionRef, commands: CommandClient): Promise<void> {
  try {
    await commands.call(worker, { kind: 'release', ...ref });
  } catch (error) {
    if (!(error instanceof NotOwnerError)) throw error;
  }
}

async function giveUp(
  ref: SessionRef,
  { deadOwner, isAtRest }: { readonly deadOwner: string | undefined; readonly isAtRest: boolean },
  { sessions }: PlacementResources,
): Promise<never> {
  if (!isAtRest) await sessions.markQueued(ref, 'no worker took the session', deadOwner);
  throw new Error('no worker took the session');
}
