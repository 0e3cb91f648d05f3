import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks } from './support/client-programs.js';
import type { Phone } from './support/linked-sessions.js';

const execute = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;

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
  await tenant.client.call('create-session', { body: params });
  await cluster.linkByQr(tenant.client, 'shop', anna);
});
afterAll(() => cluster?.stop());

/** Runs code blocks of a page one after the other, as a reader does, and returns their output. */
async function run(blocks: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const script = blocks.join('\n').replaceAll('http://localhost:3000', cluster.edges[0]?.url ?? '');
  const { stdout } = await execute('sh', ['-euc', script], {
    env: { PATH: process.env.PATH ?? '', API_KEY: tenant.apiKey, ...variables },
  });
  return stdout;
}

// A bare machine may lack curl; the tests then count as skipped.
describe.skipIf(!hasCurl)('the examples of', () => {
  test('docs/channels.md', async () => {
    const { channels } = cluster.simulator;
    const other = channels.create(carl, 'Other');
    const output = await run(codeBlocks('docs/channels.md', 'sh'), { OTHER: other.jid });
    const [own] = channels.of(anna);
    expect(own).toMatchObject({ name: 'News', description: 'What is new' });
    expect(output).toContain(`"id":"${own?.jid}","name":"News","description":"What is new"`);
    expect(output).toContain('"text":"We have moved to Main Street"');
    expect(output).toContain('"reactions":[{"text":"👍","count":1}]');
    expect(own?.posts).toMatchObject([{ isEdited: true, message: undefined }]);
    expect(output).toContain('"role":"subscriber","muted":true');
    expect([other.followers.size, other.muted.size]).toEqual([0, 0]);
  });

  test('docs/business.md', async () => {
    const tea = { id: '1', name: 'Tea', price: 12_500, currency: 'EUR' };
    const shop = cluster.simulator.businesses.open(carl);
    shop.texts.set('description', 'Tea and cups');
    shop.products = [tea];
    shop.collections = [{ id: 'c', name: 'All', products: [tea] }];
    const order = { id: '1234567890', token: 'AR4flJ9Aq+cTvVVQO2bkZg==', currency: 'EUR' };
    shop.orders.push({ ...order, items: [{ product: tea, quantity: 2 }] });
    const own = cluster.simulator.businesses.open(anna);
    const output = await run(codeBlocks('docs/business.md', 'sh'));
    expect(output).toContain('"description":"Tea and cups"');
    expect(output).toContain('"priceAmount1000":12500');
    expect(output).toContain('"totalAmount1000":25000');
    expect(own).toMatchObject({ websites: ['https://shop.example'], hours: { timezone: 'Europe/Berlin' } });
  });

  test('statuses in docs/sending.md', async () => {
    const dora = cluster.simulator.addPhone({ name: 'Dora', number: '15550001001' });
    const [setUp = '', ...examples] = codeBlocks('docs/sending.md', 'sh');
    const statuses = examples.filter((example) => example.includes('api POST statuses'));
    expect(statuses).toHaveLength(1);
    await run([setUp, ...statuses], { SESSION: 'shop' });
    const { id } = await dora.waitForMessage(({ text }) => text === 'Open till six');
    await dora.waitForMessage(({ message }) => message.protocolMessage?.key?.id === id);
    expect(carl.received).toEqual([]);
  });
});

test('what a channel does not take is refused before anything is sent', async () => {
  const channel = cluster.simulator.channels.create(anna, 'Strict');
  const to = channel.jid;
  for (const body of [
    { to, content: { type: 'forward' as const, messageId: 'M' } },
    { to, content: { type: 'reaction' as const, messageId: '3EB0', emoji: '👍' } },
    { to, content: { type: 'text' as const, text: 'hi @15551230002', mentions: [carl.number] } },
    { to, text: 'hi', disappearing: 86_400 as const },
    { to, text: 'hi', quote: { messageId: 'M' } },
  ]) {
    await expect(tenant.client.call('send-message', { params, body })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }
  const body = { recipients: Array(1_001).fill(carl.number), content: { type: 'text' as const, text: 'x' } };
  await expect(tenant.client.call('post-status', { params, body })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
  });
  expect(channel.posts).toEqual([]);
});

test('a post and a status are sent once under an Idempotency-Key', async () => {
  const channel = cluster.simulator.channels.create(anna, 'Once');
  const send = async (path: string, key: string, body: object) => {
    const response = await fetch(`${cluster.edges[0]?.url}/api/sessions/shop/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': tenant.apiKey,
        'idempotency-key': key,
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const post = { to: channel.jid, text: 'once' };
  const first = await send('messages', 'post-1', post);
  expect(first).toMatchObject({ status: 200, body: { serverId: '100' } });
  expect(await send('messages', 'post-1', post)).toEqual(first);
  expect(channel.posts).toHaveLength(1);
  const status = { content: { type: 'text', text: 'only once' }, recipients: [carl.number] };
  const shown = await send('statuses', 'status-1', status);
  expect(await send('statuses', 'status-1', status)).toEqual(shown);
  await waitFor(() => carl.received.some(({ text }) => text === 'only once'), { what: 'the status' });
  expect(carl.received.filter(({ text }) => text === 'only once')).toHaveLength(1);
});
