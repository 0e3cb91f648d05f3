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
 * An attacker, with or without an API key, tries to get another tenant's events or to bring the edge down. Meanwhile a
 * client of the other tenant listens. Each attack must get an answer of the contract or a closed connection. The client
 * must miss nothing. The edge must stay alive, and must not have grown after all attacks together, which is why they
 * share one cluster. Each file of scenarios/attacks holds the attacks on one part.
 */

/** How much an edge may grow, bytes. V8 may keep 200 MB of garbage until it needs the memory. */
const MAY_GROW = 200 * 1024 * 1024;

const attacked = useAttackedCluster();

describe('subscriptions', () => attackSubscriptions(attacked));
describe('keys', () => attackKeys(attacked));
describe('another client’s secret', () => attackSecrets(attacked));
describe('packets', () => attackPackets(attacked));
describe('requests', () => attackRequests(attacked));
describe('what tenants share', () => attackQuotas(attacked));

test('after all attacks no event is missing or foreign, the edge has not grown and its log has no secret', async () => {
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
  // The logger did not write these lines: they are a crash's stack trace, or console output of a library.
  expect(edge.process.logs.filter(({ level }) => level === undefined)).toEqual([]);
  report('attacks', {
    events: listener.received.length,
    grownMB: Math.round(grown / 1024 ** 2),
    logLines: log.length,
  });
});
