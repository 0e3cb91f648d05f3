import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  Ownership,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { StraySessions } from './stray-sessions.js';

const worker = 'wrk_a';
let server: TestRedis;
let redis: RedisConnection;
let here: Set<string>;
let released: number;
let lines: Record<string, unknown>[];
let strays: StraySessions;

const logger = createLogger({
  app: 'worker',
  level: 'info',
  destination: { write: (line) => lines.push(JSON.parse(line)) },
});

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await redis.flushall();
  [here, released, lines] = [new Set(), 0, []];
  strays = new StraySessions({
    redis,
    worker,
    isHere: ({ sessionId }) => here.has(sessionId),
    onReleased: () => {
      released += 1;
    },
    logger,
  });
});

async function owned(sessionId: string): Promise<SessionRef> {
  const { id: tenantId } = await new TenantDirectory(redis).create('Acme');
  const ref = { tenantId, sessionId };
  await new SessionDirectory(redis).create(ref);
  await claim(ref);
  return ref;
}

const claim = (ref: SessionRef) => new Ownership(redis).claim(ref, { worker });
const ownerOf = async (ref: SessionRef) => (await new Ownership(redis).read(ref))?.worker;

test('a session that a worker owns and does not run is released when two rounds in a row found it', async () => {
  const [stray, kept] = [await owned('stray'), await owned('kept')];
  here.add('kept');
  await strays.look();
  expect(await ownerOf(stray)).toBe(worker);
  await strays.look();
  expect(await ownerOf(stray)).toBeUndefined();
  expect(await ownerOf(kept)).toBe(worker);
  expect(released).toBe(1);
  expect(lines).toMatchObject([
    { level: 'warn', msg: 'a session that this worker does not run was released', ...stray, epoch: 1 },
  ]);
});

test('a session that the worker takes between two rounds stays with it', async () => {
  const ref = await owned('taken');
  await strays.look();
  here.add('taken');
  await strays.look();
  here.delete('taken');
  await strays.look();
  expect(await ownerOf(ref)).toBe(worker);
});

test('a session that is claimed again between two rounds is not released for what the first one saw', async () => {
  const ref = await owned('claimed');
  await strays.look();
  await claim(ref);
  await strays.look();
  expect(await ownerOf(ref)).toBe(worker);
});

test('a claim that Redis carries out before the release keeps the session', async () => {
  const ref = await owned('racing');
  await strays.look();
  const send = redis.sendCommand;
  // What a release sends first is held back until the claim is done: the round has read the epoch before.
  redis.sendCommand = (command, stream) => {
    if (command.name !== 'zadd') return send.call(redis, command, stream);
    void claim(ref).then(() => send.call(redis, command, stream));
    return command.promise;
  };
  await strays.look();
  redis.sendCommand = send;
  expect(await ownerOf(ref)).toBe(worker);
  expect(released).toBe(0);
});

test('a session that another worker has, though the index says otherwise, is left alone', async () => {
  const ref = await owned('foreign');
  await redis.hset(`wf:{${ref.tenantId}}:owner:${ref.sessionId}`, 'worker', 'wrk_b');
  for (let round = 0; round < 3; round += 1) await strays.look();
  expect(await ownerOf(ref)).toBe('wrk_b');
  expect(lines).toEqual([]);
});

test('sessions of more tenants than one round reads are all found by the next rounds', async () => {
  const refs = await Promise.all(Array.from({ length: 250 }, (_, index) => owned(`stray-${index}`)));
  for (let round = 0; round < 4; round += 1) await strays.look();
  expect(await Promise.all(refs.map(ownerOf))).toEqual(refs.map(() => undefined));
});

test('a session is released though the record of another one cannot be read', async () => {
  const [broken, stray] = [await owned('broken'), await owned('stray')];
  await redis.set(`wf:{${broken.tenantId}}:owner:${broken.sessionId}`, 'not a hash');
  for (let round = 0; round < 2; round += 1) await strays.look();
  expect(await ownerOf(stray)).toBeUndefined();
});
