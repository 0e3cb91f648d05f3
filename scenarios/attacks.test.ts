import { describe, expect, test } from 'vitest';
import { useAttackedCluster } from './attacks/attacked-cluster.js';
import { attackKeys } from './attacks/keys.js';
import { attackPackets } from './attacks/packets.js';
import { attackQuotas } from './attacks/quotas.js';
import { attackRequests } from './attacks/requests.js';
import { attackSecrets } from './attacks/secrets.js';
import { attackSubscriptions } from './attacks/subscriptions.js';
import { report } from './support/report.js';

/**
 * What somebody tries who wants another tenant's events, or the edge down, with and without an API key. Meanwhile a
 * client of the other tenant listens. Each attack must get an answer of the contract, or a closed connection; the
 * client must miss nothing, and the edge must live, and be no larger afterwards: after all of them together, which
 * is why they share one cluster. Each file of scenarios/attacks holds the attacks on one thing.
 */

/** What an edge may have grown by, bytes. Garbage of 200 MB is not collected before there is a need. */
const MAY_GROW = 200 * 1024 * 1024;

const attacked = useAttackedCluster();

describe('subscriptions', () => attackSubscriptions(attacked));
describe('keys', () => attackKeys(attacked));
describe('another client’s secret', () => attackSecrets(attacked));
describe('packets', () => attackPackets(attacked));
describe('requests', () => attackRequests(attacked));
describe('what tenants share', () => attackQuotas(attacked));

test('nobody was harmed: nothing is missing or foreign, the edge has its size, its log no secret', async () => {
  const { edge, listener } = attacked;
  await listener.expectEverythingOf(attacked.cluster, attacked.victim);
  expect(listener.disconnects).toEqual([]);
  expect(listener.duplicates).toBe(0);
  expect(edge.process.running).toBe(true);

  const grown = await attacked.grown();
  expect(grown).toBeLessThan(MAY_GROW);
  const log = edge.process.logs.map((line) => JSON.stringify(line));
  for (const secret of attacked.secrets) expect(log.filter((line) => line.includes(secret))).toEqual([]);
  expect(edge.process.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  // A line that is not the logger's: the trace of a crash, or what a library writes to the console.
  expect(edge.process.logs.filter(({ level }) => level === undefined)).toEqual([]);
  report('attacks', {
    events: listener.received.length,
    grownMB: Math.round(grown / 1024 ** 2),
    logLines: log.length,
  });
});
