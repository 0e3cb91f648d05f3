import { createLogger } from '@wafleet/runtime';
import {
  connectRedis,
  EventChannel,
  type Fence,
  type LoggedEvent,
  type RedisConnection,
} from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestCluster } from '../testing/test-cluster.js';
import type { TestWorker } from '../testing/test-worker.js';
import { TenantFeeds } from './tenant-feeds.js';

const logger = createLogger({ app: 'test', level: 'silent' });

let cluster: TestCluster;
let worker: TestWorker;
let subscriber: RedisConnection;
let tenantId: string;
let fence: Fence;
let delivered: LoggedEvent[];
let feeds: TenantFeeds;

beforeAll(async () => {
  cluster = await TestCluster.start();
  worker = await cluster.startWorker();
});
beforeEach(async () => {
  ({ tenantId } = await cluster.createTenant());
  fence = await worker.own(tenantId, 'shop-1');
  subscriber = connectRedis({ url: cluster.redis.url, role: 'subscriber', name: 'feeds', logger });
  delivered = [];
  feeds = makeFeeds(20);
});
afterEach(() => {
  feeds.close();
  subscriber.disconnect();
});
afterAll(() => cluster.stop());

function makeFeeds(lingerMs: number): TenantFeeds {
  return new TenantFeeds({
    channel: new EventChannel(subscriber),
    deliver: (_tenantId, event) => delivered.push(event),
    logger,
    lingerMs,
  });
}

const publish = () => worker.publish(fence, 'messages.delete', { jid: 'a@lid', all: true });

async function subscribers(): Promise<number> {
  const [, count] = await cluster.connection.pubsub('SHARDNUMSUB', `wf:{${tenantId}}:events`);
  return Number(count);
}

describe('a tenant’s feed', () => {
  it('delivers what is published once it is ready', async () => {
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    await publish();
    await waitFor(() => delivered.length === 1, { what: 'the event is delivered' });
    expect(delivered).toMatchObject([{ event: 'messages.delete', sessionId: 'shop-1' }]);
  });

  it('is one subscription however many sockets there are, until the last has left', async () => {
    for (let socket = 0; socket < 3; socket += 1) {
      feeds.enter(tenantId);
      await feeds.ready(tenantId);
    }
    expect(await subscribers()).toBe(1);
    feeds.leave(tenantId);
    feeds.leave(tenantId);
    await publish();
    await waitFor(() => delivered.length === 1, { what: 'the event is delivered' });

    feeds.leave(tenantId);
    await waitFor(async () => (await subscribers()) === 0, { what: 'the subscription ends' });
    await publish();
    expect(delivered).toHaveLength(1);
  });

  it('goes on without a gap when a socket comes back in time', async () => {
    feeds = makeFeeds(60_000);
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    feeds.leave(tenantId);
    await publish();
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    await waitFor(() => delivered.length === 1, { what: 'the event in between is delivered' });
    expect(await subscribers()).toBe(1);
  });

  it('begins anew after it ended', async () => {
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    feeds.leave(tenantId);
    await waitFor(async () => (await subscribers()) === 0, { what: 'the subscription ends' });
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    await publish();
    await waitFor(() => delivered.length === 1, { what: 'the event is delivered' });
  });

  it('comes back by itself when the connection to Redis was cut', async () => {
    feeds.enter(tenantId);
    await feeds.ready(tenantId);
    await cluster.connection.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const deliveredAgain = async () => {
      await publish();
      return delivered.length > 0;
    };
    await waitFor(deliveredAgain, { what: 'events are delivered again' });
  });

  it('is refused while Redis is out of reach, and ready once it is back', async () => {
    const own = await TestCluster.start();
    const connection = connectRedis({ url: own.redis.url, role: 'subscriber', name: 'own', logger });
    const cut = new TenantFeeds({
      channel: new EventChannel(connection),
      deliver: () => {},
      logger,
      confirmWithinMs: 300,
    });
    try {
      await own.redis.kill();
      cut.enter(tenantId);
      await expect(cut.ready(tenantId)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await own.redis.restart();
      await waitFor(() => cut.ready(tenantId).then(() => true), { what: 'the feed is ready' });
    } finally {
      cut.close();
      connection.disconnect();
      await own.stop();
    }
  });
});
