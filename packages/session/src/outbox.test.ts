import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  EventLog,
  type Fence,
  Ownership,
  type RedisConnection,
  SessionDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MappedEvent } from './mapping/mapped-event.js';
import { Outbox } from './outbox.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };

let server: TestRedis;
let redis: RedisConnection;
let log: EventLog;
let outbox: Outbox;
let told: string[];

async function claim(worker: string, expectPrevious?: string): Promise<Fence> {
  const result = await new Ownership(redis).claim(ref, { worker, expectPrevious });
  if (!('fence' in result)) throw new Error('somebody else owns the session');
  return result.fence;
}

beforeEach(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  await new SessionDirectory(redis).create(ref);
  log = new EventLog(redis, { maxLength: 100_000 });
  told = [];
  outbox = new Outbox({
    fence: await claim('wrk_a'),
    eventLog: log,
    logger,
    onFenced: () => told.push('fenced'),
    onCongestion: (isCongested) => told.push(isCongested ? 'congested' : 'free'),
    onUsedUp: (field) => told.push(`used up ${field}`),
  });
});

afterEach(async () => {
  outbox.discard();
  redis.disconnect();
  await server.stop();
});

function numbered(first: number, count: number, text = ''): MappedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    event: 'presence.update',
    payload: { id: String(first + index), presences: { text } },
  }));
}

async function logged(): Promise<number[]> {
  const { events } = await log.read(ref.tenantId, { after: undefined, count: 100_000 });
  return events.map(({ body }) => Number(JSON.parse(body.toString()).id));
}

it('keeps everything through an outage and brings it into the log once and in order', async () => {
  outbox.publish(numbered(0, 10));
  await outbox.idle();
  outbox.publish(numbered(10, 150));
  await server.kill();
  outbox.publish(numbered(160, 150));
  const steps: number[] = [];
  outbox.run(async () => {
    steps.push((await logged()).length);
  });
  outbox.publish(numbered(310, 2_000));
  expect(told).toEqual(['congested']);

  await server.restart();
  await outbox.idle();
  expect(await logged()).toEqual(Array.from({ length: 2_310 }, (_, number) => number));
  expect(steps).toEqual([310]);
  expect(told).toEqual(['congested', 'free']);
});

it('is congested by few events that are long, too', async () => {
  await server.kill();
  outbox.publish(numbered(0, 9, 'x'.repeat(1024 * 1024)));
  expect(told).toEqual(['congested']);
});

it('is empty for good once the fence refused', async () => {
  await claim('wrk_b', 'wrk_a');
  outbox.publish(numbered(0, 10));
  await waitFor(() => told.length > 0, { what: 'the fence' });
  outbox.publish(numbered(10, 5_000));
  await outbox.idle();
  expect(told).toEqual(['fenced']);
  expect(await logged()).toEqual([]);
});
