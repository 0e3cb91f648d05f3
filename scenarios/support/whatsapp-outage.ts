import { setTimeout as delay } from 'node:timers/promises';
import { listSessions, startCluster, waitFor } from '@wafleet/testkit';
import { linkedAnew, linkSessions } from './linked-sessions.js';
import type { Figures } from './report.js';
import { Traffic } from './traffic.js';

interface Outage {
  readonly sessions: number;
  /** How long WhatsApp refuses all connections. */
  readonly downMs: number;
  /** CONNECTS_PER_SECOND of the workers. */
  readonly connectsPerSecond: number;
}

interface Aftermath {
  /** Sessions that had to be linked again. */
  readonly linkedAnew: readonly string[];
  /** QR codes that were shown since the sessions were linked. */
  readonly qrCodes: number;
  /** How many more connects there were than the rate allows, in the worst time span. 0 if there were not more. */
  readonly excess: number;
  readonly figures: Figures;
}

/**
 * WhatsApp drops every connection and refuses new ones for a while, under traffic. Resolves when every session is open
 * again and everything that was sent has arrived in order.
 */
export async function whatsappOutage({
  sessions: count,
  downMs,
  connectsPerSecond,
}: Outage): Promise<Aftermath> {
  const connects: number[] = [];
  const cluster = await startCluster({
    workers: 2,
    simulator: { onUpgrade: () => connects.push(performance.now()) },
    environment: { CONNECTS_PER_SECOND: String(connectsPerSecond) },
  });
  let traffic: Traffic | undefined;
  try {
    const tenant = await cluster.addTenant();
    const sessions = await linkSessions(cluster, tenant, count);
    traffic = await Traffic.start({ cluster, tenant, sessions, everyMs: 2_000 });
    const qrBefore = traffic.events.payloads('auth.qr').length;
    const openSessions = async () =>
      (await listSessions(tenant.client)).filter(({ status }) => status === 'open').length;

    const downAt = performance.now();
    cluster.simulator.rejectUpgrades(503);
    cluster.simulator.disconnectAll('tcp');
    await waitFor(async () => (await openSessions()) === 0, {
      what: 'every session notices',
      timeoutMs: 30_000,
    });
    await delay(Math.max(0, downMs - (performance.now() - downAt)));
    cluster.simulator.resume();
    const upAt = performance.now();
    await waitFor(async () => (await openSessions()) > 0, { what: 'a session is back', timeoutMs: 180_000 });
    const firstMs = performance.now() - upAt;
    await waitFor(async () => (await openSessions()) === count, {
      what: 'every session is back',
      timeoutMs: 180_000,
    });
    const lastMs = performance.now() - upAt;
    await traffic.flows(2);
    const { sent, duplicates } = await traffic.finish();

    const since = connects.filter((at) => at >= downAt);
    return {
      linkedAnew: linkedAnew(sessions),
      qrCodes: traffic.events.payloads('auth.qr').length - qrBefore,
      excess: excessOf(since, connectsPerSecond),
      figures: {
        sessions: count,
        downMs,
        firstMs: Math.round(firstMs),
        lastMs: Math.round(lastMs),
        connects: since.length,
        connectsPerSecond,
        mostInASecond: mostWithin(since, 1_000),
        sent,
        duplicates,
      },
    };
  } finally {
    await traffic?.close();
    await cluster.stop();
  }
}

/**
 * How many more connects there were than the rate allows, in the worst time span. The bucket allows a burst of one
 * second's worth. Another second's worth is allowed for connects that were granted one after the other but, on a busy
 * machine, came at the same time.
 */
function excessOf(times: readonly number[], perSecond: number): number {
  const excess = times.flatMap((from, first) =>
    times.slice(first).map((to, index) => index + 1 - perSecond * (2 + (to - from) / 1_000)),
  );
  return Math.max(0, ...excess);
}

function mostWithin(times: readonly number[], ms: number): number {
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + ms).length));
}
