import { setTimeout as delay } from 'node:timers/promises';
import type { AppProcess, Cluster } from '@wafleet/testkit';
import type { LinkedSession } from '../support/linked-sessions.js';
import type { SeededRandom } from '../support/seeded-random.js';
import type { SoakClient } from './soak-client.js';

/** What a fault needs to break something. */
export interface FaultContext {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly sessions: readonly LinkedSession[];
  readonly clients: readonly SoakClient[];
  /** Processes and parts that another fault is breaking. */
  readonly busy: Set<unknown>;
  /** Aborts waits when the soak ends. */
  readonly signal: AbortSignal;
}

/** Breaks something and repairs it. Resolves to false if it found nothing to break. */
type Break = (context: FaultContext) => Promise<boolean>;

export interface Fault {
  readonly kind: string;
  readonly weight: number;
  readonly run: Break;
  /** Whether it may delay or repeat a message on its way from WhatsApp to the log. */
  readonly delaysMessages: boolean;
}

/** Codes that WhatsApp closes a connection with and that a session recovers from by itself. */
const CLOSE_CODES = [428, 500, 503, 515, 408] as const;
const OTHER_CLOSES = ['stream-end', 'socket', 'tcp', 'unknown'] as const;
const RATE_LIMITED = 429;

/** All faults, by the share of each. */
export const FAULTS: readonly Fault[] = [
  { kind: 'worker killed', weight: 10, run: (c) => replace(c, 'worker', 'kill'), delaysMessages: true },
  { kind: 'worker stopped', weight: 8, run: (c) => replace(c, 'worker', 'stop'), delaysMessages: true },
  { kind: 'worker frozen', weight: 10, run: (c) => freeze(c, 'worker'), delaysMessages: true },
  { kind: 'edge killed', weight: 6, run: (c) => replace(c, 'edge', 'kill'), delaysMessages: false },
  { kind: 'edge stopped', weight: 4, run: (c) => replace(c, 'edge', 'stop'), delaysMessages: false },
  { kind: 'edge frozen', weight: 5, run: (c) => freeze(c, 'edge'), delaysMessages: false },
  { kind: 'placer killed', weight: 4, run: (c) => replace(c, 'placer', 'kill'), delaysMessages: false },
  { kind: 'placer stopped', weight: 3, run: (c) => replace(c, 'placer', 'stop'), delaysMessages: false },
  { kind: 'placer frozen', weight: 4, run: (c) => freeze(c, 'placer'), delaysMessages: false },
  { kind: 'Redis killed', weight: 5, run: killRedis, delaysMessages: true },
  { kind: 'Redis restarted', weight: 3, run: restartRedis, delaysMessages: true },
  { kind: 'Redis frozen', weight: 5, run: freezeRedis, delaysMessages: true },
  { kind: 'WhatsApp closes one', weight: 16, run: closeOne, delaysMessages: true },
  { kind: 'WhatsApp closes all', weight: 3, run: closeAll, delaysMessages: true },
  { kind: 'WhatsApp limits the rate of one', weight: 1, run: limitOne, delaysMessages: true },
  { kind: 'WhatsApp refuses connections', weight: 4, run: refuseConnections, delaysMessages: true },
  { kind: 'WhatsApp is silent', weight: 3, run: silence, delaysMessages: true },
  { kind: 'client cut', weight: 10, run: (c) => disturbClient(c, 'sever'), delaysMessages: false },
  { kind: 'client stalled', weight: 6, run: (c) => disturbClient(c, 'freeze'), delaysMessages: false },
];

type Kind = 'worker' | 'edge' | 'placer';

function processesOf(cluster: Cluster, kind: Kind): readonly AppProcess[] {
  if (kind === 'worker') return cluster.workers;
  return kind === 'placer' ? cluster.placers : cluster.edges.map(({ process }) => process);
}

/** A process that no other fault is breaking. Undefined if it is the only one of its kind: one must always serve. */
function pick({ cluster, random, busy }: FaultContext, kind: Kind): AppProcess | undefined {
  const free = processesOf(cluster, kind).filter((app) => !busy.has(app));
  return free.length < 2 ? undefined : random.oneOf(free);
}

/** Waits `least` to `most` seconds, or less if the soak ends before. */
async function pause({ random, signal }: FaultContext, least: number, most: number): Promise<void> {
  const seconds = least + random.next() * (most - least);
  await delay(seconds * 1_000, undefined, { signal }).catch(() => {});
}

async function hold<T>(busy: Set<unknown>, part: T, action: () => Promise<void>): Promise<true> {
  busy.add(part);
  try {
    await action();
  } finally {
    busy.delete(part);
  }
  return true;
}

/** Ends a process, as a crash or as an orchestrator does, and starts another one in its place. */
async function replace(context: FaultContext, kind: Kind, how: 'kill' | 'stop'): Promise<boolean> {
  const { cluster, busy, random } = context;
  const doomed = pick(context, kind);
  if (doomed === undefined) return false;
  return hold(busy, doomed, async () => {
    const start = async () => {
      if (kind === 'worker') await cluster.addWorker();
      else if (kind === 'placer') await cluster.addPlacer();
      else await cluster.addEdge();
    };
    // An orchestrator starts the successor before it stops the process; after a crash it comes later.
    if (how === 'stop' && random.next() < 0.5) await started(start);
    else {
      await doomed[how]();
      await pause(context, 0, 3);
      await started(start);
      return;
    }
    await doomed[how]();
  });
}

/** Starts a process. Tries again, as an orchestrator does, if it could not start because Redis is down. */
async function started(start: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start();
    } catch (error) {
      if (tries === 10) throw error;
      await delay(1_000);
    }
  }
}

async function freeze(context: FaultContext, kind: Kind): Promise<boolean> {
  const frozen = pick(context, kind);
  if (frozen === undefined) return false;
  return hold(context.busy, frozen, async () => {
    frozen.pause();
    await pause(context, 1, 30);
    frozen.resume();
  });
}

async function killRedis(context: FaultContext): Promise<boolean> {
  const { redis } = context.cluster;
  if (context.busy.has(redis)) return false;
  return hold(context.busy, redis, async () => {
    await redis.kill();
    await pause(context, 0.2, 10);
    await redis.restart();
    await storeAlways(context.cluster);
  });
}

async function restartRedis({ busy, cluster }: FaultContext): Promise<boolean> {
  const { redis } = cluster;
  if (busy.has(redis)) return false;
  return hold(busy, redis, async () => {
    await redis.restart();
    await storeAlways(cluster);
  });
}

async function freezeRedis(context: FaultContext): Promise<boolean> {
  const { redis } = context.cluster;
  if (context.busy.has(redis)) return false;
  return hold(context.busy, redis, async () => {
    redis.pause();
    await pause(context, 1, 15);
    redis.resume();
  });
}

/** From now on Redis answers only after it has written to disk. */
export async function storeAlways({ redis }: Cluster): Promise<void> {
  await redis.command('CONFIG', 'SET', 'appendfsync', 'always');
}

async function closeOne({ cluster, random, sessions }: FaultContext): Promise<boolean> {
  const { phone } = random.oneOf(sessions);
  const cause = random.next() < 0.5 ? { code: random.oneOf(CLOSE_CODES) } : random.oneOf(OTHER_CLOSES);
  cluster.simulator.disconnect(phone, cause);
  return true;
}

async function limitOne({ cluster, random, sessions }: FaultContext): Promise<boolean> {
  cluster.simulator.disconnect(random.oneOf(sessions).phone, { code: RATE_LIMITED });
  return true;
}

async function closeAll({ cluster, random }: FaultContext): Promise<boolean> {
  cluster.simulator.disconnectAll(random.oneOf(OTHER_CLOSES));
  return true;
}

async function refuseConnections(context: FaultContext): Promise<boolean> {
  const { simulator } = context.cluster;
  if (context.busy.has(simulator)) return false;
  return hold(context.busy, simulator, async () => {
    if (context.random.next() < 0.5) simulator.rejectUpgrades(503);
    else simulator.refuseLogins(503);
    simulator.disconnectAll('tcp');
    await pause(context, 1, 15);
    simulator.resume();
  });
}

async function silence(context: FaultContext): Promise<boolean> {
  const { simulator } = context.cluster;
  if (context.busy.has(simulator)) return false;
  return hold(context.busy, simulator, async () => {
    simulator.goSilent();
    await pause(context, 1, 10);
    // Messages of meanwhile wait for the next login: a network that is down long enough breaks its connections.
    simulator.disconnectAll('tcp');
    simulator.resume();
  });
}

async function disturbClient(context: FaultContext, how: 'sever' | 'freeze'): Promise<boolean> {
  const free = context.clients.filter((client) => !context.busy.has(client));
  if (free.length === 0) return false;
  const client = context.random.oneOf(free);
  return hold(context.busy, client, async () => {
    client.network[how]();
    await pause(context, 0.5, 30);
    client.network.restore();
  });
}
