import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];

beforeAll(async () => {
  cluster = await TestCluster.start();
  const start = () => cluster.startEdge({ peerHost: '127.0.0.1' });
  edges = [await start(), await start()];
});
afterAll(() => cluster.stop());

const POLLING = '/socket.io/?EIO=4&transport=polling';

/** A connection whose namespace has been refused: the refusal is an answer that a poll gets at once. */
async function open(edge: TestEdge) {
  const handshake = await (await fetch(`${edge.url}${POLLING}`)).text();
  const { sid }: { sid: string } = JSON.parse(handshake.slice(1));
  const ask = async () => {
    const body = '40/api/events,{"token":"wrong"}';
    const answer = await fetch(`${edge.url}${POLLING}&sid=${sid}`, { method: 'POST', body });
    expect(await answer.text()).toBe('ok');
  };
  const poll = (t: string, { at = edge, requestId }: { at?: TestEdge; requestId?: string } = {}) =>
    fetch(`${at.url}${POLLING}&sid=${sid}&t=${t}`, {
      headers: requestId === undefined ? {} : { 'x-request-id': requestId },
    });
  return { ask, poll };
}

it.each([
  ['the same edge', 0],
  ['another edge', 1],
] as const)('a poll that comes a second time, by way of %s, ends its connection', async (_, second) => {
  const { ask, poll } = await open(edges[0]);
  await ask();
  expect(await (await poll('PkSPbf-')).text()).toContain('44/api/events,');
  const again = await poll('PkSPbf-', { at: edges[second] });
  expect(again.status).toBe(400);
  expect(await again.json()).toMatchObject({ code: 1, message: expect.stringContaining('may be lost') });
  expect((await poll('PkSPbg0')).status).toBe(400);
});

it('polls of one second are distinguished by the request id of the load balancer', async () => {
  const { ask, poll } = await open(edges[0]);
  for (const requestId of ['first', 'second']) {
    await ask();
    expect((await poll('1796013463', { requestId, at: edges[1] })).status).toBe(200);
  }
  expect((await poll('1796013463', { requestId: 'second', at: edges[1] })).status).toBe(400);
});

it('polls of one second are let through if they have no request id', async () => {
  const { ask, poll } = await open(edges[0]);
  for (let round = 0; round < 3; round += 1) {
    await ask();
    expect((await poll('1796013463')).status).toBe(200);
  }
});

it('a client may give the same request id with all its polls', async () => {
  const { ask, poll } = await open(edges[0]);
  for (const t of ['PkSPbf-', 'PkSPbf-.0', 'PkSPbf-.1']) {
    await ask();
    expect((await poll(t, { requestId: 'always' })).status).toBe(200);
  }
});

it('a poll that is still waiting ends its connection when it comes a second time', async () => {
  const { poll } = await open(edges[0]);
  const waiting = poll('PkSPbf-');
  await waitFor(async () => (await poll('PkSPbf-')).status === 400, { what: 'the second one is refused' });
  await expect(waiting.then((answer) => answer.text())).resolves.not.toContain('4');
});
