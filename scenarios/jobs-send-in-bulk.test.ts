import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { jobSchema } from '@wafleet/contract';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

/** The commands of the guide are run as they are, against a real session. */
const [create = '', fill = '', look = '', change = ''] = codeBlocks('docs/jobs.md', 'sh');
/** The function that all commands of the guide call. */
const [helper = ''] = create.split('\n\n');

let cluster: Cluster;
let tenant: TestTenant;
let ann: Phone;
let ben: Phone;

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  ann = cluster.simulator.addPhone({ name: 'Ann', number: '15550001001' });
  ben = cluster.simulator.addPhone({ name: 'Ben', number: '15550001002' });
  await tenant.client.call('create-session', { body: { id: 'shop' } });
  await cluster.linkByQr(tenant.client, 'shop', cluster.simulator.addPhone({ name: 'Shop' }));
});

afterAll(() => cluster?.stop());

/** Without blocking this process: the simulator, which answers the session, is part of it. */
async function run(commands: string, env: Record<string, string> = {}): Promise<string[]> {
  const text = commands.startsWith(helper) ? commands : `${helper}\n${commands}`;
  const script = text.replaceAll('http://localhost:3000', cluster.edges[0]?.url ?? '');
  // Each answer on a line of its own.
  const { stdout } = await promisify(execFile)(
    'sh',
    ['-euc', script.replace('curl -sS', "curl -sS -w '\\n'")],
    {
      env: { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey, SESSION: 'shop', ...env },
    },
  );
  return stdout.trim().split('\n');
}

const texts = ({ received }: Phone) => received.map(({ text }) => text).filter((text) => text !== undefined);

test('the commands of the guide send messages, and show what became of them', async () => {
  const [created = ''] = await run(create);
  const { id, counts } = jobSchema.parse(JSON.parse(created));
  expect(counts).toMatchObject({ total: 3 });
  const params = { job: id };
  await waitFor(async () => (await tenant.client.call('get-job', { params })).state === 'done', {
    what: 'the end of the job',
    timeoutMs: 60_000,
  });
  const [job = '', messages = '', failed = '', list = ''] = await run(look, { JOB: id });
  expect(JSON.parse(job)).toMatchObject({ id, counts: { total: 3, sent: 3 }, progress: 1 });
  const { items, nextCursor } = JSON.parse(messages);
  expect(items).toMatchObject([
    { index: 0, to: '15550001001', state: 'sent' },
    { index: 1, to: '15550001002', state: 'sent' },
  ]);
  expect(nextCursor).toBe('2');
  expect(JSON.parse(failed)).toEqual({ items: [] });
  expect(JSON.parse(list)).toMatchObject({ items: [{ id }] });
  await ben.waitForMessage((message) => message.id === items[1].messageId);
  await ann.waitForMessage(({ message }) => Boolean(message.pollCreationMessageV3));
  expect(texts(ann)).toContain('See you at ten');
});

test('a message with variables is another one for each recipient', async () => {
  await run(fill);
  await ann.waitForMessage(({ text }) => text === 'Hi Ann, your table is ready at ten');
  await ben.waitForMessage(({ text }) => text === 'Hi Ben, your table is ready at noon');
});

test('those that change a job pause it, let it go on, and cancel it', async () => {
  const body = {
    messages: [{ to: ann.number, text: 'never' }],
    at: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const { id } = await tenant.client.call('create-job', { params: { id: 'shop' }, body });
  const [paused = '', resumed = '', cancelled = ''] = await run(change, { JOB: id });
  expect(JSON.parse(paused)).toMatchObject({ state: 'paused' });
  expect(JSON.parse(resumed)).toMatchObject({ state: 'scheduled' });
  expect(JSON.parse(cancelled)).toMatchObject({ state: 'cancelled', counts: { notSent: 1 } });
  expect(texts(ann)).not.toContain('never');
});

test('a job fails if its session was handed out', async () => {
  await tenant.client.call('export-session', {
    params: { id: 'shop' },
    body: { passphrase: 'correct horse battery staple' },
  });
  const { id } = await tenant.client.call('create-job', {
    params: { id: 'shop' },
    body: { messages: [{ to: ann.number, text: 'too late' }] },
  });
  const job = await waitFor(
    async () => {
      const found = await tenant.client.call('get-job', { params: { job: id } });
      return found.state === 'failed' ? found : undefined;
    },
    { what: 'the job fails', timeoutMs: 60_000 },
  );
  expect(job).toMatchObject({
    error: { code: 'SESSION_NOT_OPEN', details: { reason: 'exported' } },
    counts: { sent: 0, notSent: 1 },
  });
});
