import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  EventChannel,
  EventLog,
  type Fence,
  type LoggedEvent,
  type RedisConnection,
} from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestCluster } from '../testing/test-cluster.js';
import type { LostRange } from './tenant-stream.js';
import { type StreamMember, TenantStreams } from './tenant-streams.js';

const logger = createLogger({ app: 'test', level: 'silent' });

class Member implements StreamMember {
  readonly losses: LostRange[] = [];

  lost(range: LostRange): void {
    this.losses.push(range);
  }
}

let cluster: TestCluster;
let worker: TestWorker;
let subscriber: RedisConnection;
let command: RedisConnection;
let tenantId: string;
let fence: Fence;
let delivered: LoggedEvent[];
let member: Member;
let streams: TenantStreams;

beforeAll(async () => {
  cluster = await TestCluster.start();
  worker = await cluster.startWorker();
});
beforeEach(async () => {
  ({ tenantId } = await cluster.createTenant());
  fence = await worker.own(tenantId, 'shop-1');
  subscriber = connectRedis({ url: cluster.redis.url, role: 'subscriber', name: 'streams', logger });
  command = connectRedis({ url: cluster.redis.url, role: 'command', name: 'streams', logger });
  delivered = [];
  member = new Member();
  streams = makeStreams();
});
afterEach(() => {
  streams.close();
  subscriber.disconnect();
  command.disconnect();
});
afterAll(() => cluster.stop());

function makeStreams(times: { lingerMs?: number; checkEveryMs?: number } = {}): TenantStreams {
  return new TenantStreams({
    channel: new EventChannel(subscriber),
    log: new EventLog(command),
    deliver: (_tenantId, event) => delivered.push(event),
    onFilled: () => {},
    logger,
    lingerMs: 20,
    ...times,
  });
}

let published = 0;

async function publish(count = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => `${published + index + 1}@lid`);
  published += count;
  for (const id of ids) await worker.publish(fence, 'presence.update', { id, presences: {} });
  return ids;
}

const deliveredIds = () => delivered.map(({ body }) => (JSON.parse(body.toString()) as { id: string }).id);

async function arrived(expected: readonly string[]): Promise<void> {
  await waitFor(() => delivered.length >= expected.length, { what: `${expected.length} events delivered` });
  expect(deliveredIds()).toEqual(expected);
}

async function subscribers(): Promise<number> {
  const [, count] = await cluster.connection.pubsub('SHARDNUMSUB', `wf:{${tenantId}}:events`);
  return Number(count);
}

/** Publishes without the channel, as if its message had been lost. */
async function appendUnheard(count: number): Promise<string[]> {
  await subscriber.sunsubscribe(`wf:{${tenantId}}:events`);
  const ids = await publish(count);
  await subscriber.ssubscribe(`wf:{${tenantId}}:events`);
  return ids;
}

describe('a tenant’s stream', () => {
  it('delivers what is published once it is ready', async () => {
    await publish(3);
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    await arrived(await publish(3));
  });

  it('is one subscription however many members there are, until the last has left', async () => {
    const members = [member, new Member(), new Member()];
    for (const each of members) {
      streams.enter(tenantId, each);
      await streams.ready(tenantId);
    }
    expect(await subscribers()).toBe(1);
    for (const each of members.slice(1)) streams.leave(tenantId, each);
    await arrived(await publish());

    streams.leave(tenantId, member);
    await waitFor(async () => (await subscribers()) === 0, { what: 'the subscription ends' });
    await publish();
    expect(delivered).toHaveLength(1);
  });

  it('goes on without a gap when a member comes back in time', async () => {
    streams = makeStreams({ lingerMs: 60_000 });
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    streams.leave(tenantId, member);
    const between = await publish();
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    await arrived(between);
    expect(await subscribers()).toBe(1);
  });

  it('begins again after it ended', async () => {
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    streams.leave(tenantId, member);
    await waitFor(async () => (await subscribers()) === 0, { what: 'the subscription ends' });
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    await arrived(await publish());
  });

  it('delivers what was lost on the way as soon as the next event shows it', async () => {
    streams = makeStreams({ checkEveryMs: 60_000 });
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    const heard = await publish(2);
    await arrived(heard);
    const unheard = await appendUnheard(1_200);
    await arrived([...heard, ...unheard, ...(await publish())]);
  });

  it('delivers the last event before a silence, though nothing comes after it', async () => {
    streams = makeStreams({ checkEveryMs: 20 });
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    await arrived(await appendUnheard(1));
  });

  it('loses nothing when the connection to Redis is cut', async () => {
    streams = makeStreams({ checkEveryMs: 60_000 });
    subscriber.on('ready', () => streams.resubscribe());
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    const expected: string[] = [];
    for (let cut = 0; cut < 5; cut += 1) {
      expected.push(...(await publish(20)));
      await cluster.connection.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expected.push(...(await publish(20)));
    }
    await arrived(expected);
  });

  it('tells its members of events that are gone before they were delivered, and goes on after them', async () => {
    streams = makeStreams({ checkEveryMs: 60_000 });
    streams.enter(tenantId, member);
    await streams.ready(tenantId);
    const heard = await publish();
    await arrived(heard);
    const after = delivered.at(-1)?.position;
    await appendUnheard(5);
    await cluster.connection.xtrim(`wf:{${tenantId}}:log`, 'MAXLEN', 0);
    await arrived([...heard, ...(await publish())]);
    expect(member.losses).toEqual([{ after, before: delivered.at(-1)?.position }]);
  });

  it('is refused while Redis is out of reach, and ready once it is back', async () => {
    const own = await TestCluster.start();
    const connect = (role: 'subscriber' | 'command') =>
      connectRedis({ url: own.redis.url, role, name: 'own', logger });
    const connections = [connect('subscriber'), connect('command')] as const;
    const cut = new TenantStreams({
      channel: new EventChannel(connections[0]),
      log: new EventLog(connections[1]),
      deliver: () => {},
      onFilled: () => {},
      logger,
      readyWithinMs: 300,
    });
    try {
      await own.redis.kill();
      cut.enter(tenantId, member);
      await expect(cut.ready(tenantId)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await own.redis.restart();
      await waitFor(() => cut.ready(tenantId).then(() => true), { what: 'the stream is ready' });
    } finally {
      cut.close();
      for (const connection of connections) connection.disconnect();
      await own.stop();
    }
  });
});
