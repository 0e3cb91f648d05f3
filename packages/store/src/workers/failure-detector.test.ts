import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { logger, useRedis } from '../testing/redis-fixture.js';
import { WorkerFailureDetector } from './failure-detector.js';
import { Lifeline } from './lifeline.js';
import { WorkerRegistry } from './worker-registry.js';

const fixture = useRedis();
const NEVER = 600_000;

let registry: WorkerRegistry;

beforeEach(() => {
  registry = new WorkerRegistry(fixture.redis);
});

/** The parts of a worker that its death depends on. */
class Living {
  readonly id: string;
  readonly connection = fixture.connect('lifeline');
  readonly lifeline: Lifeline;

  constructor(id: string) {
    this.id = id;
    this.lifeline = new Lifeline({ connection: this.connection, logger, onOpen: () => void this.beat() });
  }

  static async start(id: string): Promise<Living> {
    const worker = new Living(id);
    await registry.acquireLease(id);
    await waitFor(() => worker.lifeline.token, { what: 'the lifeline' });
    await worker.beat();
    return worker;
  }

  async beat(): Promise<void> {
    const { id } = this;
    const about = { host: 'host', release: '1.0.0', capacity: 1, sessions: 0, draining: false, idlest: [] };
    await registry.beat({ id, ...about, lifeline: this.lifeline.token });
  }
}

function start(...ids: string[]): Promise<Living[]> {
  return Promise.all(ids.map((id) => Living.start(id)));
}

/** A patience that ends as soon as Redis' clock has advanced. */
const hasty = { witnessed: 1, unwitnessed: NEVER };

async function look(patienceMs = hasty): Promise<string[]> {
  return new WorkerFailureDetector(fixture.redis, patienceMs).look(await registry.list());
}

/** A worker is a witness if it was seen in an earlier millisecond than the one in which another was missed. */
async function firstLook(): Promise<void> {
  await look();
  await delay(2);
}

async function dies(id: string, patienceMs = hasty): Promise<void> {
  await waitFor(async () => (await look(patienceMs)).includes(id), { what: `the death of ${id}` });
}

/** Returns the workers found dead by several looks, with enough time between them for a patience of 1 ms. */
async function looks(patienceMs = hasty): Promise<string[]> {
  const dead: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    dead.push(...(await look(patienceMs)));
    const before = await redisTimeMs();
    await waitFor(async () => (await redisTimeMs()) > before + 2, { what: 'a later time', intervalMs: 1 });
  }
  return dead;
}

async function redisTimeMs(): Promise<number> {
  const [seconds, microseconds] = await fixture.redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}

describe('a worker counts as dead', () => {
  test('when its lifeline has ended and another one held; its lease and heartbeat go', async () => {
    const [a] = await start('wrk_a', 'wrk_b');
    expect(await looks()).toEqual([]);
    a?.connection.disconnect();
    await dies('wrk_a');
    expect(await registry.aliveIds(['wrk_a', 'wrk_b'])).toEqual(new Set(['wrk_b']));
    expect((await registry.list()).map(({ id }) => id)).toEqual(['wrk_b']);
    expect(await registry.renewLease('wrk_a')).toBe('lost');
    expect(Object.keys(await fixture.redis.hgetall(keys.lifelines)).sort()).toEqual(['run', 'wrk_b']);
  });

  test('when half of them end at once', async () => {
    const [a, b] = await start('wrk_a', 'wrk_b', 'wrk_c', 'wrk_d');
    await firstLook();
    a?.connection.disconnect();
    b?.connection.disconnect();
    const dead: string[] = [];
    await waitFor(async () => dead.push(...(await look())) > 1, { what: 'two deaths' });
    expect(dead.sort()).toEqual(['wrk_a', 'wrk_b']);
  });

  test('when it was alone, after the longer patience', async () => {
    const [a] = await start('wrk_a');
    await firstLook();
    a?.connection.disconnect();
    expect(await looks()).toEqual([]);
    await dies('wrk_a', { witnessed: NEVER, unwitnessed: 1 });
  });

  test('when all others are back after a cut and it is not, after the longer patience', async () => {
    const [a, b] = await start('wrk_a', 'wrk_b');
    await firstLook();
    a?.connection.disconnect();
    const before = b?.lifeline.token;
    await cutEverybody();
    await waitFor(() => b?.lifeline.token !== before && b?.lifeline.token, { what: 'a new lifeline' });
    await b?.beat();
    expect(await looks()).toEqual([]);
    await dies('wrk_a', { witnessed: NEVER, unwitnessed: 1 });
  });
});

describe('a worker does not count as dead', () => {
  test('while the patience lasts', async () => {
    const [a] = await start('wrk_a', 'wrk_b');
    await firstLook();
    a?.connection.disconnect();
    expect(await looks({ witnessed: NEVER, unwitnessed: NEVER })).toEqual([]);
  });

  test('when it has reconnected', async () => {
    const [a] = await start('wrk_a', 'wrk_b');
    await look();
    const before = a?.lifeline.token;
    await fixture.redis.call('CLIENT', 'KILL', 'ID', await lifelineClient(a));
    await waitFor(() => a?.lifeline.token !== before && a?.lifeline.token, { what: 'a new lifeline' });
    await a?.beat();
    expect(await looks()).toEqual([]);
  });

  test('when more lifelines have ended than stayed open', async () => {
    const [a, b] = await start('wrk_a', 'wrk_b', 'wrk_c');
    await firstLook();
    a?.connection.disconnect();
    b?.connection.disconnect();
    expect(await looks({ witnessed: 1, unwitnessed: 1 })).toEqual([]);
  });

  test('when every connection was cut at the same time', async () => {
    const workers = await start('wrk_a', 'wrk_b', 'wrk_c');
    await look();
    for (const { connection } of workers) connection.disconnect();
    expect(await looks({ witnessed: 1, unwitnessed: 1 })).toEqual([]);
  });

  test('when its lifeline was never seen open', async () => {
    const [a] = await start('wrk_a', 'wrk_b');
    a?.connection.disconnect();
    expect(await looks({ witnessed: 1, unwitnessed: 1 })).toEqual([]);
  });

  test('when it has none, as one of an earlier release', async () => {
    await start('wrk_b');
    await registry.acquireLease('wrk_a');
    const about = { host: 'host', release: '0.9.0', capacity: 1, sessions: 0, draining: false, idlest: [] };
    await registry.beat({ id: 'wrk_a', ...about });
    expect(await looks({ witnessed: 1, unwitnessed: 1 })).toEqual([]);
    expect(await registry.aliveIds(['wrk_a'])).toEqual(new Set(['wrk_a']));
  });

  test('when Redis restarted meanwhile, since the new run has seen no lifeline', async () => {
    const [a] = await start('wrk_a', 'wrk_b');
    await firstLook();
    a?.connection.disconnect();
    await fixture.server.kill();
    await fixture.server.restart();
    await waitFor(() => fixture.redis.ping(), { what: 'Redis is back' });
    expect(await looks({ witnessed: 1, unwitnessed: 1 })).toEqual([]);
    expect((await registry.list()).map(({ id }) => id).sort()).toEqual(['wrk_a', 'wrk_b']);
  });
});

async function cutEverybody(): Promise<void> {
  await fixture.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
}

/** The id that Redis gave the worker's lifeline. */
async function lifelineClient(worker: Living | undefined): Promise<string> {
  const list = String(await fixture.redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
  const port = worker?.connection.stream.localPort;
  const [, id] = new RegExp(`id=(\\d+) addr=[^ ]*:${port} `).exec(list) ?? [];
  if (id === undefined) throw new Error('the worker has no lifeline');
  return id;
}
