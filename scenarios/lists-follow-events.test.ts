import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

const execute = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const PAGE = 'docs/lists.md';

let cluster: Cluster;
let tenant: TestTenant;
let anna: Phone;
let carl: Phone;
const params = { id: 'shop' };

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  anna = cluster.simulator.addPhone({ name: 'Anna', number: '15551230001' });
  carl = cluster.simulator.addPhone({ name: 'Carl', number: '15551230002' });
  const message = { conversation: 'long ago' };
  for (const id of ['OLD1', 'OLD2']) anna.history.remember(carl, { id, sender: carl, message });
  const settings = { lists: true, history: 'none' } as const;
  await tenant.client.call('create-session', { body: { ...params, settings } });
  await cluster.linkByQr(tenant.client, 'shop', anna);
  await waitFor(async () => (await chats()).length > 0, { what: 'the chats of the phone' });
});
afterAll(() => cluster?.stop());

const chats = async () => (await tenant.client.call('list-chats', { params })).items;

/** Runs the examples of the page that contain a text, as a reader does, and returns their output. */
async function runExamples(containing: string): Promise<string> {
  const [setUp = '', ...examples] = codeBlocks(PAGE, 'sh');
  const wanted = examples.filter((example) => example.includes(containing));
  expect(wanted).toHaveLength(1);
  const script = [setUp.replace('http://localhost:3000', cluster.edges[0]?.url ?? ''), ...wanted].join('\n');
  const { stdout } = await execute('sh', ['-euc', script], {
    env: { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey },
  });
  return stdout;
}

// A bare machine may lack curl; the tests then count as skipped.
describe.skipIf(!hasCurl)(`the examples of ${PAGE}`, () => {
  test('switch the lists on, which they are', async () => {
    expect(await runExamples('{"lists": true}')).toContain('"takesEffect":{}');
  });

  test('list chats, and show one', async () => {
    const output = await runExamples('chats?limit=2');
    const listed = `"phone":"${carl.number}","lid":"${carl.lid}"`;
    // The chat has no unread messages, so that the second list is empty.
    expect(output.split(listed)).toHaveLength(3);
    expect(output).toContain('{"items":[],"truncated":false}');
  });

  test('list contacts', async () => {
    const output = await runExamples('contacts?limit=50');
    expect(output).toContain(`"phone":"${carl.number}","lid":"${carl.lid}"`);
    expect(output).toContain('{"items":[],"truncated":false}');
  });

  test('ask for older messages', async () => {
    for (const example of ['{"count": 20}', '"sentAt"']) {
      expect(JSON.parse(await runExamples(example))).toEqual({ requestId: expect.any(String) });
    }
  });
});

test('the list is right after the worker of a session was killed', async () => {
  const shown = () =>
    waitFor(async () => (await tenant.client.call('get-session', { params })).status === 'open', {
      what: 'the session open',
      timeoutMs: 60_000,
    });
  const send = async (text: string) => {
    const { id } = await carl.send(anna, { conversation: text });
    const found = () =>
      tenant.client.call('get-chat', { params: { ...params, chat: carl.number } }).catch(() => undefined);
    return waitFor(
      async () => {
        const chat = await found();
        return chat?.lastMessageId === id ? chat : undefined;
      },
      { what: `the message ${text}`, timeoutMs: 60_000 },
    );
  };
  expect(await send('one')).toMatchObject({ unreadCount: 1 });
  expect(await send('two')).toMatchObject({ unreadCount: 2 });
  const [killed] = cluster.workers;
  await cluster.addWorker();
  await killed?.kill();
  await shown();
  expect(await send('three')).toMatchObject({ unreadCount: 3, name: 'Carl' });
  expect(await chats()).toHaveLength(1);
});
