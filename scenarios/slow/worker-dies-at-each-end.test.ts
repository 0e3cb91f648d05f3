import { isResting } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, type RedisConnection } from '@wafleet/store';
import { type AppProcess, type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultPoints, type Way } from '../support/fault-points.js';
import { keepWorkers } from '../support/kept-workers.js';
import { ownerOf } from '../support/owner-process.js';
import {
  forbid,
  restsAs,
  SESSION_ENDS,
  type SessionEnd,
  type SessionLife,
  scan,
  viewOf,
} from '../support/session-ends.js';

/**
 * For each way in which a session can end, kills the worker before and after each write to Redis or WhatsApp. After
 * each death a restart must lead to an open session, and a removal must leave nothing.
 *
 * A life is one session from its start to its end. Lives without a death show which writes there are. If one write is
 * done before the next is sent, one death between them covers both "after the first" and "before the second". Then
 * lives with deaths follow until a worker gets through all writes.
 */
const TIMEOUT_MS = 150_000;
/** Each wait has its own limit. All ends together start about 120 workers, each takes 3 s of a core. */
const END_TIMEOUT_MS = 1_800_000;
/** Lives of one kind at the same time. */
const LANES: Readonly<Record<string, number>> = { linked: 4, closed: 2, restarted: 2 };
/** What a phone sends to a new device: keys, chats, names and the end of the history. */
const GREETINGS = 4;
/** Limit of lives in a row without all writes of the end, as when a write was refused. They prove nothing. */
const MOST_LIVES_IN_VAIN = 5;
/** One for the end itself, and one for what the next worker detects. */
const MOST_RESTARTS = 2;

/** What one kind of end happens in. */
interface Ground {
  readonly end: SessionEnd;
  readonly tenant: TestTenant;
}

/** A life whose worker was killed. */
interface Death {
  /** Where it died. */
  readonly step: string;
  /** The steps that this death covers: the one where it died and, if equivalent, the end of the write before it. */
  readonly stepsAlike: readonly string[];
  /** The state of the session after the death. */
  readonly leftAs: string;
  /** The incarnation that owned the session then. */
  readonly workerId: string | undefined;
}

const points = new FaultPoints();
/** How many workers should run: for each session its owner and one that takes it over. */
let wanted = 2;
/** Lives under way. Each has a worker, or waits for one. */
let living = 0;
let cluster: Cluster;
let redis: RedisConnection;
let workers: ReturnType<typeof keepWorkers>;

beforeAll(async () => {
  const environment = {
    PLACEMENTS_PER_SECOND: '100',
    CONNECTS_PER_SECOND: '100',
    // Too short to wait for a turn to drain. A worker that dies in its turn keeps the turn for ten seconds.
    DRAIN_TIMEOUT_MS: '6000',
  };
  cluster = await startCluster({ workers: 0, environment });
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  redis = connectRedis({ url: cluster.redis.url, role: 'command', name: 'scenario', logger });
  workers = keepWorkers(
    cluster,
    () => wanted,
    () => points.addWorker(cluster),
  );
});

afterAll(async () => {
  await workers.stop();
  redis.disconnect();
  // A worker that halted does not end by itself.
  await Promise.all(cluster.workers.map((worker) => worker.kill()));
  points.close();
  await cluster.stop();
});

test.concurrent.each(SESSION_ENDS)(
  'a session that is $name can be restarted and removed wherever its worker dies on the way',
  async (end) => {
    const lanes = LANES[end.name] ?? 1;
    wanted += lanes + 1;
    try {
      const ground = { end, tenant: await cluster.addTenant() };
      const begunAt = Date.now();
      const passed = await rehearse(ground);
      const dieInLanes = async (first: number) => {
        const living = Array.from({ length: lanes }, (_, lane) => dieAtEachWrite(ground, first + lane));
        return (await Promise.all(living)).flat();
      };
      const deaths = await dieInLanes(0);
      const missed = passed.filter((step) => !deaths.some(({ stepsAlike }) => stepsAlike.includes(step)));
      for (const step of missed) points.unpass(end.name, step);
      if (missed.length > 0) deaths.push(...(await dieInLanes(lanes)));
      conclude(end, deaths, Date.now() - begunAt);
      await nothingIsLeft(ground, deaths);
    } finally {
      wanted -= lanes + 1;
    }
  },
  END_TIMEOUT_MS,
);

/**
 * Runs lives without a death until Redis knows all scripts. Resolves to the steps at which no death is needed: one
 * write was done and the next was not begun, so a death before the next one is equivalent. The order of writes varies,
 * so each life is checked.
 */
async function rehearse(ground: Ground): Promise<readonly string[]> {
  const { end } = ground;
  let last: readonly string[] = [];
  for (let number = 1; number <= MOST_LIVES_IN_VAIN; number += 1) {
    const { steps } = await live(ground, { id: `${end.name}-rehearsal-${number}`, group: undefined });
    last = steps;
    if (!isWhole(end, steps)) continue;
    const passed = steps.filter(
      (step, index) => step.startsWith('after ') && steps[index + 1]?.startsWith('before '),
    );
    for (const step of passed) points.pass(end.name, step);
    return passed;
  }
  throw new Error(`no life of ${end.name} was whole; steps of the last: ${last}`);
}

/** Whether a life had all writes of its end, and none of them was refused. */
function isWhole({ writes }: SessionEnd, steps: readonly string[]): boolean {
  return (
    writes.every((write) => steps.includes(`after ${write}`)) &&
    !steps.some((step) => step.startsWith('failed '))
  );
}

/** Runs lives until a worker gets through all writes without a halt. */
async function dieAtEachWrite(ground: Ground, lane: number): Promise<Death[]> {
  const { end } = ground;
  const deaths: Death[] = [];
  let inVain = 0;
  for (let number = 1; ; number += 1) {
    const { steps, death } = await live(ground, { id: `${end.name}-${lane}-${number}`, group: end.name });
    if (death !== undefined) {
      deaths.push(death);
      inVain = 0;
    } else {
      if (isWhole(end, steps)) return deaths;
      inVain += 1;
      expect(inVain, `lives of ${end.name} without all writes; steps of the last: ${steps}`).toBeLessThan(
        MOST_LIVES_IN_VAIN,
      );
    }
  }
}

/**
 * Runs a life once there is a worker for it and one that takes it over. A session that waits for room retries less and
 * less often, so it would lose each new worker to a life that has just begun.
 */
async function live(...life: Parameters<typeof liveNow>): ReturnType<typeof liveNow> {
  const enter = () => {
    if (cluster.workers.length < living + 2) return false;
    living += 1;
    return true;
  };
  await waitFor(enter, { what: 'a worker to spare', timeoutMs: END_TIMEOUT_MS });
  try {
    return await liveNow(...life);
  } finally {
    living -= 1;
  }
}

/** Runs one session up to its end or the death of its worker. Then uses the API until nothing is left of it. */
async function liveNow(
  { end, tenant }: Ground,
  { id, group }: { id: string; group: string | undefined },
): Promise<{ steps: readonly string[]; death: Death | undefined }> {
  const life = { cluster, tenant, id, phone: cluster.simulator.addPhone({ name: id }) };
  await prepare(end, life);
  const owner = end.from === 'open' ? await ownerOf(cluster, tenant, id) : undefined;
  const way = `way.${id}`;
  const order = { way, group, until: end.until, pid: owner?.pid, whatsapp: end.whatsapp };
  points.arm({ sessionId: id, tenantId: tenant.id }, order);
  const ended = new AbortController();
  const begun = end.begin(life, ended.signal).catch(() => {});
  const { steps, haltedPid } = await until(`${id} is over or its worker halts`, life, async () => {
    const seen = points.way(way);
    if (seen.haltedPid !== undefined) return seen;
    return (await isOver(life, { end, owner, seen })) ? points.way(way) : undefined;
  });
  points.disarm(id);
  ended.abort();
  const step = steps.at(-1) ?? '';
  const death = haltedPid === undefined ? undefined : await kill(haltedPid, life, steps);
  await leadOn(end, life, step);
  await begun;
  return { steps, death };
}

async function isOver(
  life: SessionLife,
  { end, owner, seen }: { end: SessionEnd; owner: AppProcess | undefined; seen: Way },
): Promise<boolean> {
  // The end includes the exit of the drained worker.
  if (end.name === 'drained' && owner?.running === true) return false;
  return seen.isSettled && (await end.isOver(life));
}

async function kill(haltedPid: number, life: SessionLife, steps: readonly string[]): Promise<Death> {
  const view = await viewOf(life);
  const worker = cluster.workers.find(({ pid }) => pid === haltedPid);
  // A worker that claims a session at once may halt before the testkit knows that it is ready.
  if (worker === undefined) process.kill(haltedPid, 'SIGKILL');
  await worker?.kill();
  const leftAs = view === undefined ? 'gone' : `${view.status}${view.worker === undefined ? '' : ', owned'}`;
  const [earlier = '', step = ''] = ['', ...steps].slice(-2);
  const isAlike = step.startsWith('before ') && earlier.startsWith('after ');
  return { step, stepsAlike: isAlike ? [earlier, step] : [step], leftAs, workerId: view?.worker };
}

async function prepare({ from }: SessionEnd, life: SessionLife): Promise<void> {
  if (from === 'absent') return;
  const { id, tenant } = life;
  const greeting = `greeting.${id}`;
  points.arm({ sessionId: id, tenantId: tenant.id }, { way: greeting });
  await tenant.client.call('create-session', { body: { id } });
  await opens(life);
  await until(`${id} has heard what its phone tells each new device`, life, async () => {
    const { steps, isSettled } = points.way(greeting);
    return (
      isSettled &&
      steps.filter((step) => step === 'after receipt peer_msg' || step.startsWith('after receipt peer_msg #'))
        .length === GREETINGS
    );
  });
  if (from === 'open') return;
  forbid(life);
  await until(`${life.id} fails`, life, () => restsAs('failed')(life));
  cluster.simulator.acceptLogins(life.phone);
}

async function leadOn(end: SessionEnd, life: SessionLife, step: string): Promise<void> {
  const { tenant, id, phone } = life;
  const what = `after a death ${step}`;
  // For every other death, wait until the cluster has noticed it. For the rest use the API at once.
  const isNoticed = Number(id.split('-').at(-1)) % 2 === 0;
  if (isNoticed) await until(`${id} is as it should be ${what}`, life, () => end.comesAbout(life));
  cluster.simulator.acceptLogins(phone);
  if (end.name !== 'deleted') await opens(life, what);
  if ((await viewOf(life)) !== undefined) await tenant.client.call('remove-session', { params: { id } });
  await until(`${id} is gone ${what}`, life, async () => (await viewOf(life)) === undefined);
  const keys = await redis.keys(`wf:*:${id}*`);
  expect(keys, `keys ${what}`).toEqual([`wf:{${tenant.id}}:owner:${id}`]);
  expect([...phone.devices.keys()], `devices that the phone of ${id} lists ${what}`).toEqual([]);
}

/** Whether a worker incarnation belongs to a running process. */
function runs(workerId: string | undefined): boolean {
  return cluster.workers.some(({ logs }) => logs.some((line) => line.workerId === workerId));
}

/** Resolves when a live worker has the session open. Restarts a resting session, and scans a QR code that it shows. */
async function opens(life: SessionLife, what = ''): Promise<void> {
  let restarts = 0;
  await until(`${life.id} opens ${what}`, life, async () => {
    const { status, worker } = (await viewOf(life)) ?? {};
    if (status === 'awaiting_link') await scan(life).catch(() => {});
    if (status === undefined || !isResting(status)) return status === 'open' && runs(worker);
    restarts += 1;
    await life.tenant.client.call('restart-session', { params: { id: life.id } });
    return false;
  });
  expect(restarts, `restarts until ${life.id} was open ${what}`).toBeLessThanOrEqual(MOST_RESTARTS);
}

/** Expects that nothing is stored any more of the tenant's sessions and of the dead workers. */
async function nothingIsLeft({ tenant }: Ground, deaths: readonly Death[]): Promise<void> {
  const dead = new Set(deaths.flatMap(({ workerId }) => workerId ?? []));
  const left = async () => {
    const indexed = await redis.keys(`wf:{${tenant.id}}:*owned*`);
    const owners = await redis.smembers('wf:{workers}:owners');
    return [...indexed, ...owners.filter((worker) => dead.has(worker))];
  };
  let last: readonly string[] = [];
  await waitFor(
    async () => {
      last = await left();
      return last.length === 0;
    },
    { what: 'nothing is left', timeoutMs: TIMEOUT_MS, intervalMs: 200 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${last.join(' ')}`, { cause: error });
  });
}

function conclude({ name, writes }: SessionEnd, deaths: readonly Death[], ms: number): void {
  const steps = deaths.flatMap(({ stepsAlike }) => stepsAlike);
  const lines = deaths.map(({ stepsAlike, leftAs }) => `  ${stepsAlike.join(', ')}: left as ${leftAs}\n`);
  const summary = `${name}: ${deaths.length} deaths in ${Math.round(ms / 1_000)} s`;
  process.stdout.write(`[worker-dies-at-each-end] ${summary}\n${lines.join('')}`);
  const sideOf = (when: string) =>
    new Set(steps.filter((step) => step.startsWith(when)).map((step) => step.slice(when.length)));
  for (const side of ['before ', 'after ']) {
    expect([...sideOf(side)], `deaths ${side}writes of ${name}`).toEqual(expect.arrayContaining([...writes]));
  }
}

function until<T>(
  what: string,
  life: SessionLife,
  look: () => Promise<T>,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  return waitFor(look, { what, timeoutMs: TIMEOUT_MS, intervalMs: 100 }).catch(async (error: Error) => {
    const logs = cluster.workers.flatMap(({ name, logs: lines }) =>
      lines
        .filter(({ sessionId }) => sessionId === life.id)
        .map((line) => `  ${name}: ${JSON.stringify(line)}`),
    );
    const view = JSON.stringify(await viewOf(life));
    throw new Error(`${error.message}\nit is ${view}\n${logs.join('\n')}`, { cause: error });
  });
}
