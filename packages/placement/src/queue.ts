import { tenantIdSchema } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { isRedisUnreachable, PlacementRanks, type RedisConnection } from '@wafleet/store';
import { type Job, Queue } from 'bullmq';
import type { PlacementReason, PlacementRequest } from './placement-request.js';
import { priorityOf } from './policies/priority.js';
import { queueErrorLogger } from './queue-errors.js';

/** Hash-tagged, so that all keys of a queue stand in one slot of a Redis Cluster. */
export const QUEUE_PREFIX = '{wf-placement}';
export const PLACEMENT_QUEUE = 'placement';

/** The maximum number of requests that one `hurry` promotes. */
const HURRIED_AT_ONCE = 100;
/**
 * The number of requests that `hurry` chooses among: those that are due next. Each of the others comes among them
 * within its longest wait.
 */
const LOOKED_AT = 1_000;

/** No request waits for this long by the clock of the process that put it off (see Placer). */
const LATEST_DUE_MS = 300_000;
/** BullMQ's scores of delayed jobs count the jobs of each millisecond. */
const DELAYED_SCORE_PER_MS = 0x1000;

/** Attempts before a placement counts as failed. The session then shows a reason, and a sweep asks again. */
export const ATTEMPTS = 5;

function toJob(request: PlacementRequest, rank: number) {
  return {
    name: request.reason,
    data: request,
    opts: {
      priority: priorityOf(request.reason, rank),
      // A request that comes while one of the same session is being served may be about what happened since,
      // such as the death of the worker just chosen: it is kept and served next. All others are dropped.
      deduplication: { id: `${request.tenantId}/${request.sessionId}`, keepLastIfActive: true },
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: 500, jitter: 0.5 },
      removeOnComplete: { count: 1_000, age: 3_600 },
      removeOnFail: { count: 1_000, age: 86_400 },
    },
  };
}

/** Requests of one tenant for one reason. */
interface RequestGroup {
  readonly tenantId: string;
  readonly reason: PlacementReason;
  readonly requests: PlacementRequest[];
}

function groups(requests: readonly PlacementRequest[]): Iterable<RequestGroup> {
  const byKey = new Map<string, RequestGroup>();
  for (const request of requests) {
    const { tenantId, reason } = request;
    const key = `${tenantId} ${reason}`;
    const group = byKey.get(key) ?? { tenantId, reason, requests: [] };
    group.requests.push(request);
    byKey.set(key, group);
  }
  return byKey.values();
}

/** A request that no worker had room for. */
interface WaitingRequest {
  readonly jobId: string;
  readonly tenantId: string;
  /** When it was made, ms since 1970. */
  readonly since: number;
}

function tenantOf(data: string): string | undefined {
  try {
    return tenantIdSchema.safeParse(JSON.parse(data)?.tenantId).data;
  } catch {
    return undefined;
  }
}

/** One of each tenant, then a second one of each, and so on. */
function inTurn(waiting: readonly WaitingRequest[]): WaitingRequest[] {
  const lines = new Map<string, WaitingRequest[]>();
  for (const request of waiting.toSorted((a, b) => a.since - b.since)) {
    const line = lines.get(request.tenantId) ?? [];
    line.push(request);
    lines.set(request.tenantId, line);
  }
  const drawn = [...lines.values()].map((line) => ({ line, draw: Math.random() }));
  drawn.sort((a, b) => a.draw - b.draw);
  return drawn
    .flatMap(({ line }) => line.map((request, turn) => ({ request, turn })))
    .sort((a, b) => a.turn - b.turn)
    .map(({ request }) => request);
}

/**
 * Asks for placements. A job is a decision of seconds, never a session's lifetime, and at most one per session waits.
 * Any number of processes may have a queue object. The caller closes the connection.
 */
export class PlacementQueue {
  readonly #queue: Queue<PlacementRequest>;
  readonly #lines: PlacementRanks;
  readonly #connection: RedisConnection;

  /**
   * @param options.connection with the role `queue`, or with the role `command` if the caller prefers an error to
   * waiting while Redis is out of reach.
   */
  constructor(options: { connection: RedisConnection; logger: Logger }) {
    this.#queue = new Queue(PLACEMENT_QUEUE, { connection: options.connection, prefix: QUEUE_PREFIX });
    this.#queue.on('error', queueErrorLogger(options.logger));
    this.#lines = new PlacementRanks(options.connection);
    this.#connection = options.connection;
  }

  /** Resolves when Redis has the request. Asking again for a session whose request still waits does nothing. */
  async enqueue(request: PlacementRequest): Promise<void> {
    await this.enqueueAll([request]);
  }

  async enqueueAll(requests: readonly PlacementRequest[]): Promise<void> {
    const jobs = await Promise.all([...groups(requests)].map((group) => this.#toJobs(group)));
    if (jobs.length > 0) await this.#queue.addBulk(jobs.flat());
  }

  /** Whether requests wait that could be served now, or are being served. */
  async isBusy(): Promise<boolean> {
    return (await this.#queue.getJobCountByTypes('active', 'waiting', 'prioritized')) > 0;
  }

  /**
   * Promotes requests that wait for a worker with room, as many as there is room for. Tenants take turns; within a
   * tenant, those that have waited for the longest come first. The first tenant is drawn at random: room becomes free
   * for one session at a time, and no process remembers which tenant was the last one.
   * @param room how many sessions the workers can take.
   */
  async hurry(room: number): Promise<void> {
    if (room <= 0 || (await this.#queue.getDelayedCount()) === 0) return;
    const waiting = await this.#waiting();
    for (const { jobId } of inTurn(waiting).slice(0, Math.min(room, HURRIED_AT_ONCE))) {
      const job = await this.#readJob(jobId);
      // Another placer may be quicker.
      await job
        ?.updateData({ ...job.data, turn: job.attemptsStarted + 1 })
        .then(() => job.promote())
        .catch(() => undefined);
    }
  }

  /**
   * Promotes requests that a process with a clock ahead has put off. They become due too late by the clocks of others.
   * A session has one request only, so no other process could ask for it until then.
   */
  async promoteMisdated(): Promise<void> {
    const from = (Date.now() + LATEST_DUE_MS) * DELAYED_SCORE_PER_MS;
    const ids = await this.#connection.zrangebyscore(
      this.#queue.toKey('delayed'),
      from,
      '+inf',
      'LIMIT',
      0,
      HURRIED_AT_ONCE,
    );
    for (const id of ids) await (await this.#readJob(id))?.promote().catch(() => undefined);
  }

  /** Whether any placer is there to serve requests. */
  async isServed(): Promise<boolean> {
    return (await this.#queue.getWorkersCount()) > 0;
  }

  /** Requests that wait for a worker with room, up to `LOOKED_AT`. */
  async #waiting(): Promise<WaitingRequest[]> {
    const ids = await this.#queue.getRanges(['delayed'], 0, LOOKED_AT - 1, true);
    const waiting = await Promise.all(ids.map((jobId) => this.#readWaiting(jobId)));
    return waiting.filter((request) => request !== undefined);
  }

  /** Returns undefined if it does not wait for room, or cannot be read. */
  async #readWaiting(jobId: string): Promise<WaitingRequest | undefined> {
    try {
      const key = this.#queue.toKey(jobId);
      const [data, since, attempts] = await this.#connection.hmget(key, 'data', 'timestamp', 'atm');
      const tenantId = tenantOf(data ?? '');
      // A request that failed waits for its next attempt, and has only a few of them.
      const isForRoom = Number(attempts ?? 0) === 0;
      return tenantId !== undefined && isForRoom ? { jobId, tenantId, since: Number(since ?? 0) } : undefined;
    } catch (error) {
      if (isRedisUnreachable(error)) throw error;
      return undefined;
    }
  }

  /** Returns undefined if there is none, or if it cannot be read: it is dropped when it is due (see paceErrors). */
  async #readJob(id: string): Promise<Job<PlacementRequest> | undefined> {
    try {
      return await this.#queue.getJob(id);
    } catch (error) {
      if (isRedisUnreachable(error)) throw error;
      return undefined;
    }
  }

  async #toJobs(group: RequestGroup) {
    const { tenantId, reason, requests } = group;
    const sessionIds = requests.map(({ sessionId }) => sessionId);
    const ranks = await this.#lines.join(tenantId, reason, sessionIds);
    return requests.map((request, index) => toJob(request, ranks[index] ?? requests.length));
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }
}
