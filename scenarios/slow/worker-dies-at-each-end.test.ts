import { isResting, type SessionStatus } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, type RedisConnection } from '@wafleet/store';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { FaultPoints } from '../support/fault-points.js';
import { keepWorkers } from '../support/kept-workers.js';
import type { Phone } from '../support/linked-sessions.js';
import { SeededRandom } from '../support/seeded-random.js';

/**
 * The worker of a session dies before or after a command to Redis, or a stanza to WhatsApp, while the session begins or
 * ends. Whatever it leaves, the API leads on. The first life of each kind finds the steps; of these a seed chooses.
 */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const DEATHS_OF_EACH = 8;
const TIMEOUT_MS = 90_000;
/** Commands that write nothing: a death there leaves what a death after the step before leaves. */
const READS = /^(before|after) (hget|hmget|hgetall|get|exists|pttl|smembers|sismember|zscore) /;

interface Life {
  readonly cluster: Cluster;
  readonly tenant: TestTenant;
  readonly id: string;
  readonly phone: Phone;
}

interface Kind {
  readonly name: string;
  /** What the session is when the way begins; `absent` has none yet. */
  readonly from: 'absent' | 'open' | 'failed';
  readonly begin: (life: Life) => Promise<unknown>;
  /** Whether the way has come to its end. */
  readonly isOver: (life: Life) => Promise<boolean>;
  /** What holds some time after the death, whoever made it come about; then the API leads on from there. */
  readonly after?: (life: Life) => Promise<boolean>;
}

const statusOf = async ({ tenant, id }: Life): Promise<SessionStatus | 'absent'> => {
  try {
    return (await tenant.client.getSession(id)).status;
  } catch {
    return 'absent';
  }
};
const has = (status: string) => async (life: Life) => (await statusOf(life)) === status;

async function fail({ cluster, phone }: Life): Promise<void> {
  cluster.simulator.refuseLogins(403, phone);
  cluster.simulator.disconnect(phone, 'socket');
}

const kinds: readonly Kind[] = [
  {
    name: 'linked',
    from: 'absent',
    begin: async (life) => {
      await life.tenant.client.createSession({ id: life.id });
      await scanOnce(life);
    },
    isOver: has('open'),
  },
  { name: 'failed', from: 'open', begin: fail, isOver: has('failed'), after: has('failed') },
  {
    name: 'logged-out',
    from: 'open',
    begin: async ({ phone }) => phone.unlink(),
    isOver: has('logged_out'),
    after: has('logged_out'),
  },
  {
    name: 'restarted',
    from: 'failed',
    begin: ({ tenant, id }) => tenant.client.restartSession(id),
    isOver: has('open'),
    after: has('open'),
  },
  {
    name: 'drained',
    from: 'open',
    begin: async ({ cluster, id }) => {
      const owner = ownerOf(cluster, id);
      if (owner === undefined) throw new Error(`no worker says that it claimed ${id}`);
      // Halted it does not stop by itself: it is killed then.
      void owner.stop().catch(() => {});
    },
    isOver: async (life) => (await statusOf(life)) === 'open' && isMoved(life),
    after: has('open'),
  },
  {
    name: 'deleted',
    from: 'open',
    begin: ({ tenant, id }) => tenant.client.deleteSession(id),
    isOver: has('absent'),
    after: has('absent'),
  },
];

/** Nobody links a phone, and the workers soon lose their patience. */
const unlinked: Kind = {
  name: 'closed',
  from: 'absent',
  begin: ({ tenant, id }) => tenant.client.createSession({ id }),
  isOver: has('closed'),
  after: has('closed'),
};

let cluster: Cluster | undefined;
let points: FaultPoints | undefined;
let redis: RedisConnection | undefined;

afterEach(async () => {
  redis?.disconnect();
  // One that halted does not end by itself.
  await Promise.all(cluster?.workers.map((worker) => worker.kill()) ?? []);
  points?.close();
  await cluster?.stop();
});

test('a session leads on wherever its worker dies while it is linked, ends, is moved or removed', async () => {
  await dieInAll(kinds, new FaultPoints());
});

test('a session leads on wherever its worker dies while nobody links a phone in time', async () => {
  await dieInAll([unlinked], new FaultPoints({ qrLifeMs: '200', linkPatienceMs: '500' }));
});

async function dieInAll(all: readonly Kind[], dying: FaultPoints): Promise<void> {
  points = dying;
  const environment = { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '100', DRAIN_TIMEOUT_MS: '20000' };
  const running = await startCluster({ workers: 0, environment });
  cluster = running;
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const connection = connectRedis({ url: running.redis.url, role: 'command', name: 'scenario', logger });
  redis = connection;
  const workers = keepWorkers(running, all.length + 2, () => dying.addWorker(running));
  try {
    await workers.ready();
    const tenant = await running.addTenant();
    const told = await Promise.all(
      all.map((kind) => dieInOne({ kind, cluster: running, dying, tenant, redis: connection })),
    );
    process.stdout.write(`[worker-dies-at-each-end] seed=${SEED}\n${told.flat().join('\n')}\n`);
  } finally {
    await workers.stop();
  }
}

interface Ground {
  readonly kind: Kind;
  readonly cluster: Cluster;
  readonly dying: FaultPoints;
  readonly tenant: TestTenant;
  readonly redis: RedisConnection;
}

async function dieInOne(ground: Ground): Promise<string[]> {
  const { kind } = ground;
  const random = new SeededRandom(SEED);
  const { steps } = await live(ground, 0, undefined);
  const writes = steps.filter((step) => !READS.test(step));
  expect(writes.length, `steps of ${kind.name}`).toBeGreaterThan(DEATHS_OF_EACH);
  const left = [...writes];
  const lines: string[] = [];
  let died = 0;
  for (let number = 1; number <= DEATHS_OF_EACH; number += 1) {
    const [haltAt = ''] = left.splice(random.below(left.length), 1);
    const { hasDied, leftAs } = await live(ground, number, haltAt);
    if (hasDied) died += 1;
    lines.push(`${kind.name.padEnd(10)} ${haltAt}: ${hasDied ? `died, left as ${leftAs}` : 'not come to'}`);
  }
  // What a way does varies a little: some steps are not come to again.
  expect(died, `deaths of ${kind.name}\n${lines.join('\n')}`).toBeGreaterThanOrEqual(DEATHS_OF_EACH / 2);
  return [`${kind.name.padEnd(10)} ${died} deaths at ${writes.length} steps`, ...lines];
}

/** One session's life up to the end of the way, or the death of its worker; then the API leads on. */
async function live(ground: Ground, number: number, haltAt: string | undefined) {
  const { kind, cluster: running, dying, tenant } = ground;
  const id = `${kind.name}-${number}`;
  const life: Life = { cluster: running, tenant, id, phone: running.simulator.addPhone({ name: id }) };
  await prepare(kind, life);
  dying.arm(id, { way: `way-${id}`, haltAt });
  const begun = kind.begin(life).catch(() => {});
  const way = await until(`${id} is over or its worker halts at ${haltAt}`, life, async () => {
    const seen = dying.way(`way-${id}`);
    if (seen.haltedPid !== undefined) return seen;
    return seen.steps.length > 0 && (await kind.isOver(life)) && dying.way(`way-${id}`).isSettled && seen;
  });
  const worker = running.workers.find(({ pid }) => pid === way.haltedPid);
  const leftAs = worker === undefined ? undefined : await statusOf(life);
  await worker?.kill();
  await leadOn(ground, life, `${haltAt}`);
  await begun;
  dying.disarm(id);
  return { steps: way.steps, hasDied: worker !== undefined, leftAs };
}

async function prepare({ from }: Kind, life: Life): Promise<void> {
  if (from === 'absent') return;
  await life.tenant.client.createSession({ id: life.id });
  await opens(life);
  if (from === 'open') return;
  await fail(life);
  await until(`${life.id} fails`, life, has('failed'));
  life.cluster.simulator.acceptLogins(life.phone);
}

async function leadOn({ kind, redis: connection }: Ground, life: Life, step: string): Promise<void> {
  const { cluster: running, tenant, id, phone } = life;
  const what = `after a death ${step}`;
  if (kind.after !== undefined) await until(`${id} is as it should be ${what}`, life, kind.after);
  running.simulator.acceptLogins(phone);
  if (kind.name !== 'deleted') {
    if (kind.name === 'closed') {
      await tenant.client.restartSession(id);
      await until(`${id} offers a link again ${what}`, life, has('awaiting_link'));
    } else {
      await opens(life, what);
    }
    await tenant.client.deleteSession(id);
    await until(`${id} is gone ${what}`, life, has('absent'));
  }
  expect(await connection.keys(`*:${id}`), what).toEqual([expect.stringMatching(/^wf:\{[^}]+\}:owner:/)]);
  expect([...phone.devices.keys()], `devices that the phone of ${id} lists ${what}`).toEqual([]);
}

/** Resolves when the session is open: restarts it where it rests, and lets its person scan what it shows. */
function opens(life: Life, what = ''): Promise<unknown> {
  return until(`${life.id} opens ${what}`, life, async () => {
    const status = await statusOf(life);
    if (status === 'open') return true;
    if (status === 'absent') return false;
    if (status === 'awaiting_link') await scan(life).catch(() => {});
    else if (isResting(status)) await life.tenant.client.restartSession(life.id);
    return false;
  });
}

async function scan({ tenant, id, phone }: Life): Promise<boolean> {
  const { qr } = await tenant.client.getQr(id);
  await phone.scan(qr);
  return true;
}

/** The person scans one code, and does not wait for longer than it takes to die. */
function scanOnce(life: Life): Promise<unknown> {
  return waitFor(() => scan(life), { what: `${life.id} is scanned`, timeoutMs: 5_000, intervalMs: 100 });
}

function claimsOf({ workers }: Cluster, id: string) {
  return workers.filter(({ logs }) =>
    logs.some(({ sessionId, msg = '' }) => sessionId === id && /was (claimed|taken over)/.test(msg)),
  );
}

function ownerOf(running: Cluster, id: string) {
  return claimsOf(running, id).at(-1);
}

/** Whether the worker that was asked to stop is gone. */
function isMoved({ cluster: running, id }: Life): boolean {
  const [first, ...others] = claimsOf(running, id);
  return (
    first !== undefined && others.length === 0 && !first.logs.some(({ msg }) => msg === 'the drain starts')
  );
}

function until<T>(what: string, life: Life, look: () => Promise<T | false | undefined>): Promise<T>;
function until(what: string, life: Life, look: (life: Life) => Promise<boolean>): Promise<unknown>;
function until<T>(what: string, life: Life, look: (life: Life) => Promise<T | false | undefined>) {
  return waitFor(() => look(life), { what, timeoutMs: TIMEOUT_MS, intervalMs: 100 }).catch(
    async (error: Error) => {
      const { cluster: running, id } = life;
      const logs = running.workers.flatMap(({ name, logs: lines }) =>
        lines.filter(({ sessionId }) => sessionId === id).map((line) => `  ${name}: ${JSON.stringify(line)}`),
      );
      throw new Error(`${error.message}; it is ${await statusOf(life)}\n${logs.join('\n')}`, {
        cause: error,
      });
    },
  );
}
