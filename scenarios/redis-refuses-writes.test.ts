import { ApiError } from '@wafleet/client';
import { type Cluster, startCluster, type TestTenant, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type LinkedSession, linkSessions } from './support/linked-sessions.js';

const readinessSchema = z.object({ ready: z.boolean(), reason: z.string().optional() });

/** Redis answers but refuses writes. Every process reports the cause, none floods its log, and all recover. */
let cluster: Cluster;
let tenant: TestTenant;
let session: LinkedSession;

beforeAll(async () => {
  cluster = await startCluster();
  tenant = await cluster.addTenant();
  const [linked] = await linkSessions(cluster, tenant, 1);
  if (linked === undefined) throw new Error('no session was linked');
  session = linked;
});

afterAll(() => cluster.stop());

const REFUSALS = [
  {
    name: 'is out of memory',
    reason: /out of memory/,
    begin: ['CONFIG', 'SET', 'maxmemory', '1'],
    end: ['CONFIG', 'SET', 'maxmemory', '0'],
  },
  {
    name: 'is read-only',
    reason: /read-only/,
    begin: ['REPLICAOF', '127.0.0.1', '1'],
    end: ['REPLICAOF', 'NO', 'ONE'],
  },
];

describe.each(REFUSALS)('a Redis that $name', ({ reason, begin, end }) => {
  test('makes every process unready with the cause, floods no log, and all recover afterwards', async () => {
    const processes = [cluster.edges[0]?.process, cluster.workers[0], cluster.placers[0]];
    const linesBefore = processes.map((each) => each?.logs.length ?? 0);
    await cluster.redis.command(...begin);
    await Promise.all(
      readyUrls().map((url) =>
        waitFor(async () => reason.test((await readiness(url)).reason ?? 'none'), {
          what: `${url} unready with the cause`,
          timeoutMs: 30_000,
        }),
      ),
    );
    const sender = cluster.simulator.addPhone({ name: 'Sender' });
    await sender.send(session.phone, { text: `while it refuses: ${reason.source}` });
    const refused = async () => {
      const answer = await tenant.client
        .call('send-message', { params: { id: session.id }, body: { to: sender.number, text: 'not now' } })
        .catch((error) => error);
      // A worker that cannot store closes its session, so it is not open. An error of the edge itself names the cause.
      if (answer instanceof ApiError && answer.code === 'SESSION_NOT_OPEN') return true;
      if (answer instanceof ApiError && answer.code === 'UNAVAILABLE' && reason.test(answer.message))
        return true;
      throw new Error(`the answer is ${answer instanceof Error ? answer.message : JSON.stringify(answer)}`);
    };
    await waitFor(refused, { what: 'an answer that says why not', timeoutMs: 40_000 });
    // At most ten lines of a kind in ten seconds, and few kinds. An earlier version logged hundreds of thousands.
    processes.forEach((each, index) => {
      expect((each?.logs.length ?? 0) - (linesBefore[index] ?? 0), each?.name).toBeLessThan(400);
    });

    await cluster.redis.command(...end);
    await Promise.all(
      readyUrls().map((url) =>
        waitFor(async () => (await readiness(url)).ready, { what: `${url} ready again`, timeoutMs: 60_000 }),
      ),
    );
    await waitForStatus(tenant.client, session.id, 'open', 90_000);
    // What Redis has from the time of the refused writes may be stale.
    const send = () =>
      tenant.client.call('send-message', {
        params: { id: session.id },
        body: { to: sender.number, text: 'works again' },
      });
    const { messageId } = await waitFor(send, { what: 'a message sent again', timeoutMs: 90_000 });
    await sender.waitForMessage((message) => message.id === messageId);
  });
});

function readyUrls(): string[] {
  const edges = cluster.edges.map(({ process }) => process);
  return [...edges, ...cluster.workers, ...cluster.placers].map(({ readyUrl }) => readyUrl);
}

async function readiness(url: string) {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return readinessSchema.parse(await response.json());
}
