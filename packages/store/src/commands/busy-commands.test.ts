import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CommandReply } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { createGate } from '../testing/gate.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { CommandClient } from './command-client.js';
import { CommandServer } from './command-server.js';
import type { WorkerCommand } from './worker-command.js';

/** The process of this test is the worker: the calls keep its event loop busy. */

const WORKER = 'wrk_busy';
const GREEDY = 'tnt_greedy';
const CALLS = 140;
const STEP_MS = 5;

const fixture = useRedis();
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

function keepBusy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** Starts a client of a worker that is alive but does not read commands yet. */
async function startClient(): Promise<CommandClient> {
  await new WorkerRegistry(fixture.redis).acquireLease(WORKER);
  const client = new CommandClient({
    ...{ redis: fixture.redis, subscriber: fixture.connect('subscriber') },
    ...{ clientId: 'edge_1', logger },
  });
  await client.start();
  stops.push(() => client.stop());
  return client;
}

/** Starts the worker. */
function startServer(handle: (command: WorkerCommand) => Promise<CommandReply>): void {
  const server = new CommandServer({
    ...{ redis: fixture.redis, blocking: fixture.connect('blocking'), workerId: WORKER, logger },
    handle,
  });
  server.start();
  stops.push(() => server.stop());
}

const sendText = (tenantId: string, sessionId: string) =>
  ({ kind: 'send-text', tenantId, sessionId, messageId: 'M1', to: '15551234567', text: 'hello' }) as const;

test('a worker that the calls of a tenant keep busy runs few of them at a time, and another’s at once', async () => {
  const client = await startClient();
  const call = (tenantId: string, sessionId: string) =>
    client.call(WORKER, sendText(tenantId, sessionId), { deadlineMs: 60_000 });

  let running = 0;
  /** For each call of the greedy tenant, how many of its calls ran when it began. */
  const besides: number[] = [];
  let ended = 0;
  let neighbour: Promise<{ begun: number; ended: number }> | undefined;
  const callNeighbour = async () => {
    const begun = besides.length;
    await call('tnt_neighbour', 'shop');
    return { begun, ended: besides.length };
  };
  const calls = Array.from({ length: CALLS }, (_, index) => call(GREEDY, `s-${index}`));
  await waitFor(async () => (await fixture.redis.xlen(keys.inbox(WORKER))) === CALLS, {
    what: 'all calls wait',
  });
  startServer(async ({ tenantId }) => {
    if (tenantId !== GREEDY) return { messageId: 'M1' };
    running += 1;
    besides.push(running);
    if (besides.length === CALLS / 2) neighbour = callNeighbour();
    await nextTurn();
    keepBusy(STEP_MS);
    await nextTurn();
    keepBusy(STEP_MS);
    running -= 1;
    ended += 1;
    return { messageId: 'M1' };
  });

  await Promise.all(calls);
  expect(ended).toBe(CALLS);
  expect(Math.max(...besides)).toBeLessThanOrEqual(12);
  const met = (await neighbour) ?? expect.fail('the neighbour did not call');
  expect(met.ended - met.begun).toBeLessThan(CALLS / 4);
});

test('calls that only wait run fifty at a time', async () => {
  const client = await startClient();
  let running = 0;
  const gate = createGate();
  startServer(async () => {
    running += 1;
    await gate.opened;
    return { messageId: 'M1' };
  });
  const calls = Array.from({ length: CALLS }, (_, index) =>
    client.call(WORKER, sendText(GREEDY, `s-${index}`), { deadlineMs: 60_000 }),
  );
  await waitFor(() => running === 50, { what: 'fifty calls at a time' });
  gate.open();
  await Promise.all(calls);
});
