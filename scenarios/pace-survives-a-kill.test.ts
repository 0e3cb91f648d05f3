import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, startCluster, type TestTenant, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

const execute = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const PAGE = 'docs/staying-unrestricted.md';

let cluster: Cluster;
let tenant: TestTenant;
let anna: Phone;
let bob: Phone;
let carl: Phone;
const params = { id: 'shop' };

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  const [one, two, three] = ['Anna', 'Bob', 'Carl'].map((name) => cluster.simulator.addPhone({ name }));
  [anna, bob, carl] = [one, two, three] as [Phone, Phone, Phone];
  const pacing = { sendsPerMinute: 4, newChatsPerDay: 1 };
  await tenant.client.call('create-session', { body: { ...params, settings: { pacing } } });
  await cluster.linkByQr(tenant.client, 'shop', anna);
});
afterAll(() => cluster?.stop());

const restrictions = () => tenant.client.call('get-restrictions', { params });

function send(to: string, text: string, idempotencyKey?: string) {
  return tenant.client.call('send-message', {
    params,
    body: { to, text },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  });
}

const paced = (resource: string) => ({ code: 'PACED', status: 429, details: { resource } });

test('the budgets of a session hold when its worker is killed', async () => {
  await send(bob.number, 'one');
  await send(bob.number, 'two');
  await expect(send(carl.number, 'hi')).rejects.toMatchObject(paced('paced_new_chats'));
  const { pacing } = await restrictions();
  expect(pacing).toEqual({ sends: { limit: 4, left: 2 }, newChats: { limit: 1, left: 0 } });

  await cluster.addWorker();
  const [device] = anna.devices.values();
  await cluster.workers[0]?.kill();
  await waitFor(() => device?.isOnline === false, { what: 'the end of the connection' });
  await waitFor(() => device?.isOnline, { what: 'a login by the other worker', timeoutMs: 60_000 });
  await waitForStatus(tenant.client, 'shop', 'open');
  await send(bob.number, 'three');
  await expect(send(carl.number, 'hi')).rejects.toMatchObject(paced('paced_new_chats'));
  await send(bob.lid, 'four');
  await expect(send(bob.number, 'five', 'another-key')).rejects.toMatchObject(paced('paced_sends'));

  // A setting that allows more is all that the refused message waits for.
  await tenant.client.call('change-session', {
    params,
    body: { settings: { pacing: { sendsPerMinute: 10, newChatsPerDay: 2 } } },
  });
  await send(bob.number, 'five', 'another-key');
  await send(carl.number, 'hi');
  await carl.waitForMessage(() => true, { timeoutMs: 30_000 });
  const texts = bob.received.map(({ text }) => text);
  expect(texts).toEqual(['one', 'two', 'three', 'four', 'five']);
});

// A bare machine may lack curl; the test then counts as skipped.
describe.skipIf(!hasCurl)(`the examples of ${PAGE}`, () => {
  async function run(containing: string): Promise<string> {
    const [setUp = '', ...examples] = codeBlocks(PAGE, 'sh');
    const wanted = examples.filter((example) => example.includes(containing));
    expect(wanted).toHaveLength(1);
    const script = [setUp.replace('http://localhost:3000', cluster.edges[0]?.url ?? ''), ...wanted].join(
      '\n',
    );
    const { stdout } = await execute('sh', ['-euc', script], {
      env: { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey },
    });
    return stdout;
  }

  test('pace a session, show what an account may write, and end a pause', async () => {
    await waitForStatus(tenant.client, 'shop', 'open');
    const changed = JSON.parse(await run('sendsPerMinute'));
    expect(changed).toMatchObject({ settings: { pacing: { warmUp: [5, 10, 20, 40], typing: true } } });

    cluster.simulator.limits.of(anna).lock(1_900_000_000, 'BIZ_QUALITY');
    const until = new Date(1_900_000_000_000).toISOString();
    const shown = await waitFor(
      async () => {
        const answer = JSON.parse(await run('call GET'));
        return answer.pausedUntil === null ? undefined : answer;
      },
      { what: 'the pause' },
    );
    expect(shown).toMatchObject({
      timeLock: { isActive: true, until, type: 'BIZ_QUALITY' },
      newChats: null,
      pauseReason: 'time-lock',
      refusals: 0,
      pacing: { sends: { limit: 20 }, newChats: { limit: 5 } },
    });
    const [example = ''] = codeBlocks(PAGE, 'json');
    expect(Object.keys(JSON.parse(example))).toEqual(Object.keys(shown));

    expect(JSON.parse(await run('call DELETE'))).toEqual({});
    expect((await restrictions()).pausedUntil).toBeNull();
  });
});
