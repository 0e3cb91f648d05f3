import type { JobView } from '@wafleet/contract';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { type LinkedSession, linkedAnew, linkSessions, type Phone } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { SeededRandom } from '../support/seeded-random.js';

/** Jobs of several tenants send texts to several chats each, while edges and workers are killed with -9. */
const JOBS = Number(process.env.SCENARIO_SESSIONS ?? 4);
const MESSAGES = Number(process.env.SCENARIO_MESSAGES ?? 300);
const KILLS = Number(process.env.SCENARIO_KILLS ?? 8);
const SEED = Number(process.env.SCENARIO_SEED ?? Date.now() % 1_000_000);
const WORKERS = 4;
const EDGES = 3;
const CHATS_PER_JOB = 5;
/** Longer than the hold of a killed edge and the takeover of a killed worker, several times. */
const END_MS = 240_000;

let cluster: Cluster | undefined;

afterEach(() => cluster?.stop());

/** A job, the people whom it writes to, and what each is to get. */
interface Running {
  readonly tenant: TestTenant;
  readonly session: LinkedSession;
  readonly id: string;
  readonly texts: ReadonlyMap<Phone, readonly string[]>;
}

test('every recipient gets every message of the jobs once, in order, though edges and workers are killed', async () => {
  const environment = { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '100' };
  const running = await startCluster({ workers: WORKERS, edges: EDGES, environment });
  cluster = running;
  const random = new SeededRandom(SEED);
  const jobs: Running[] = [];
  for (let number = 1; number <= JOBS; number += 1) {
    const tenant = await running.addTenant();
    const [session] = await linkSessions(running, tenant, 1);
    if (session === undefined) throw new Error('no session was linked');
    jobs.push(await start(running, tenant, session, random));
  }

  const killed = await killInTurn(running, random, jobs);
  const ended = await Promise.all(jobs.map((job) => endOf(running, job)));

  for (const [index, { texts }] of jobs.entries()) {
    const total = [...texts.values()].flat().length;
    const what = `the counts of job ${index} (seed ${SEED})`;
    expect(ended[index], what).toMatchObject({
      state: 'done',
      counts: { sent: total, failed: 0, unknown: 0 },
    });
    for (const [phone, expected] of texts) {
      await waitFor(() => phone.received.length >= expected.length, {
        what: 'all messages',
        timeoutMs: END_MS,
      });
      expect(phone.received.map(({ text }) => text)).toEqual(expected);
    }
  }
  expect(linkedAnew(jobs.map(({ session }) => session)), 'sessions that were linked again').toEqual([]);
  const phones = jobs.flatMap(({ texts }) => [...texts.keys()]);
  report('jobs-survive-kills', {
    seed: SEED,
    jobs: JOBS,
    messages: ended.reduce((sum, { counts }) => sum + counts.sent, 0),
    ...killed,
    repeatedAtPhones: phones.reduce((sum, { inbox }) => sum + inbox.repeated.length, 0),
  });
});

async function start(
  running: Cluster,
  tenant: TestTenant,
  session: LinkedSession,
  random: SeededRandom,
): Promise<Running> {
  const chats = Array.from({ length: CHATS_PER_JOB }, (_, chat) =>
    running.simulator.addPhone({ name: `Reader ${chat} of ${session.id}` }),
  );
  const texts = new Map<Phone, string[]>(chats.map((phone) => [phone, []]));
  const messages = Array.from({ length: Math.ceil(MESSAGES / JOBS) }, (_, index) => {
    const phone = random.oneOf(chats);
    const text = `message ${index}`;
    texts.get(phone)?.push(text);
    return { to: phone.number, text };
  });
  const { id } = await tenant.client.call('create-job', {
    params: { id: session.id },
    body: { messages, pace: 240 },
  });
  return { tenant, session, id, texts };
}

/** Asks an edge that lives. */
function look(running: Cluster, { tenant, id }: Running): Promise<JobView | undefined> {
  const client = running.client(tenant.apiKey);
  return client.call('get-job', { params: { job: id } }).catch(() => undefined);
}

function endOf(running: Cluster, job: Running): Promise<JobView> {
  return waitFor(
    async () => {
      const found = await look(running, job);
      return found?.endedAt === undefined ? undefined : found;
    },
    { what: `the end of a job (seed ${SEED})`, timeoutMs: END_MS, intervalMs: 500 },
  );
}

/** Kills edges and workers in turn, each after a random number of messages, and starts another one for each. */
async function killInTurn(
  running: Cluster,
  random: SeededRandom,
  jobs: readonly Running[],
): Promise<{ edgesKilled: number; workersKilled: number }> {
  const { edges, workers } = running;
  const sent = async () => {
    const views = await Promise.all(jobs.map((job) => look(running, job)));
    return views.reduce((sum, view) => sum + (view?.counts.sent ?? 0), 0);
  };
  const after = Array.from({ length: KILLS }, () => random.below(0.9 * MESSAGES)).sort((a, b) => a - b);
  const starts: Promise<unknown>[] = [];
  const killed = { edgesKilled: 0, workersKilled: 0 };
  for (const [turn, count] of after.entries()) {
    const isTime = async () => workers.length > WORKERS / 2 && edges.length > 1 && (await sent()) >= count;
    await waitFor(isTime, { what: `${count} messages`, timeoutMs: 2 * END_MS, intervalMs: 200 });
    if (turn % 2 === 0) {
      killed.edgesKilled += 1;
      await random.oneOf(edges).process.kill();
      starts.push(running.addEdge());
    } else {
      killed.workersKilled += 1;
      await random.oneOf(workers).kill();
      starts.push(running.addWorker());
    }
  }
  await Promise.all(starts);
  return killed;
}
