import { createLogger } from '@wafleet/runtime';
import type { StorageReach } from '@wafleet/session';
import { connectRedis } from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RedisReachability } from './redis-reachability.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const limitsMs = { away: 200, gone: 600, look: 20 };

let server: TestRedis;
let end: () => void;

beforeEach(async () => {
  server = await startRedis();
});

afterEach(async () => {
  end();
  await server.stop();
});

function watch(onBack: () => Promise<void> = () => Promise.resolve()) {
  const redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  const changes: StorageReach[] = [];
  const contact = new RedisReachability({
    redis,
    onBack,
    onChange: (reach) => changes.push(reach),
    limitsMs,
  });
  end = () => {
    contact.stop();
    redis.disconnect();
  };
  contact.start();
  return { contact, changes };
}

const becomes = (contact: RedisReachability, reach: StorageReach) =>
  waitFor(() => contact.reach === reach, { what: `Redis ${reach}` });

test('a Redis that is killed is away, then gone, and reachable again once all is settled with it', async () => {
  const attempts: string[] = [];
  const { contact, changes } = watch(async () => {
    attempts.push(contact.reach);
    if (attempts.length < 3) throw new Error('away again');
  });
  expect(contact.reach).toBe('reachable');
  await server.kill();
  await becomes(contact, 'gone');
  await server.restart();
  await becomes(contact, 'reachable');
  expect(changes).toEqual(['away', 'gone', 'reachable']);
  expect(attempts).toEqual(['gone', 'gone', 'gone']);
});

test('no change is reported after the end', async () => {
  const { contact, changes } = watch();
  await server.kill();
  await becomes(contact, 'away');
  contact.stop();
  await server.restart();
  expect(changes).toEqual(['away']);
});

test('time in which the process was busy or asleep does not count as silence of Redis', async () => {
  const { contact, changes } = watch();
  const until = performance.now() + 2 * limitsMs.gone;
  while (performance.now() < until);
  await waitFor(() => performance.now() > until + 10 * limitsMs.look, { what: 'some looks' });
  expect(contact.reach).toBe('reachable');
  expect(changes).toEqual([]);
});
