import { findNginx, type RoundRobin, startRoundRobin, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendRequest } from '../testing/raw-request.js';
import { TestCluster } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

const nginx = await findNginx();

/** Shows that the shipped nginx configuration lets no client choose the address that its wrong keys count for. */
describe.runIf(nginx !== undefined)('behind nginx', () => {
  let cluster: TestCluster;
  let edge: TestEdge;
  let proxy: RoundRobin;

  beforeAll(async () => {
    if (nginx === undefined) return;
    cluster = await TestCluster.start();
    edge = await cluster.startEdge({
      clientLimits: { handshakesPerAddress: 1, trustedProxies: ['loopback'] },
    });
    proxy = await startRoundRobin(nginx, [Number(new URL(edge.url).port)]);
  });
  afterAll(async () => {
    await proxy?.stop();
    await cluster?.stop();
  });

  it('a forged X-Forwarded-For gives an address nothing more, however often it changes', async () => {
    const guess = (url: string, number: number) =>
      sendRequest(url, 'GET /api/sessions', {
        key: `wrong-${number}`,
        headers: { 'x-forwarded-for': `198.51.100.${number}, 203.0.113.${number}` },
      });
    await waitFor(async () => (await guess(proxy.url, 1)).status === 401, { what: 'nginx knows the edge' });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => guess(proxy.url, index + 2).then(({ status }) => status)),
    );
    expect(statuses).toContain(429);
    // The edge believes a client that reaches it from a trusted address, so only proxies may have one.
    expect(await guess(edge.url, 100)).toMatchObject({ status: 401 });
  });
});
