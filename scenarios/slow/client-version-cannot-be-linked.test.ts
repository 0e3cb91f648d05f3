import { type Cluster, startCluster, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { report } from '../support/report.js';

const NEXT_REVISION = 1_061_000_000;
const NEXT = `2.3000.${NEXT_REVISION}`;
const LINKED_WITHIN_MS = 300_000;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, environment: { VERSION_CHECK_EVERY_MS: '60000' } });
});

afterAll(async () => {
  await cluster?.stop();
});

test('a phone that cannot link the version in use, which no client learns, is linked within five minutes', {
  timeout: LINKED_WITHIN_MS + 60_000,
}, async () => {
  const { client } = await cluster.addTenant();
  const linked = cluster.simulator.addPhone({ name: 'Linked before' });
  await client.call('create-session', { body: { id: 'before' } });
  await cluster.linkByQr(client, 'before', linked);
  const { current } = await cluster.admin.call('get-client-version');
  const [device] = linked.devices.values();
  const logins = device?.loginRecord.logins;

  cluster.simulator.clientVersions.linkOnly([NEXT]);
  cluster.simulator.clientVersions.serve({ revision: NEXT_REVISION });
  const startedAt = performance.now();
  await client.call('create-session', { body: { id: 'new' } });
  const phone = cluster.simulator.addPhone({ name: 'New' });
  let failures = 0;
  await waitFor(
    async () => {
      const offer = await client.call('get-qr', { params: { id: 'new' } }).catch(() => undefined);
      if (offer === undefined) return false;
      return phone.scan(offer.qr).then(
        () => true,
        () => {
          failures += 1;
          return false;
        },
      );
    },
    { what: 'a phone that links', timeoutMs: LINKED_WITHIN_MS, intervalMs: 1_000 },
  );
  await waitForStatus(client, 'new', 'open');
  const linkedMs = performance.now() - startedAt;
  expect(failures).toBeGreaterThan(0);
  expect(linkedMs).toBeLessThan(LINKED_WITHIN_MS);
  expect([...phone.devices.values()].map(({ clientVersion }) => clientVersion)).toEqual([NEXT]);

  // The session that was linked before is left alone.
  expect(device?.loginRecord.logins).toBe(logins);
  expect(device?.clientVersion).toBe(current);
  // The next phone is linked at once.
  const other = cluster.simulator.addPhone({ name: 'Other' });
  await client.call('create-session', { body: { id: 'other' } });
  await cluster.linkByQr(client, 'other', other);
  expect([...other.devices.values()].map(({ clientVersion }) => clientVersion)).toEqual([NEXT]);
  report('client version cannot be linked', { linkedMs: Math.round(linkedMs) });
});
