import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@wafleet/testkit';
import { residentMemoryOf } from '../../harness/cpu-time.js';
import { collectGarbage } from '../../harness/inspector.js';
import { BenchRedis } from '../../harness/redis.js';
import { rowOf, type Scenario, type Settings } from '../../harness/scenario.js';
import { Clients, Publisher } from '../load.js';
import type { Audience, ContenderName } from '../protocol.js';
import { startServer } from '../server-under-test.js';

const TENANTS = 100;
const SETTLE_MS = 2_000;
/** Approximate number of files that a process has open besides its clients. */
const OTHER_FILES = 200;
/** One address may use half of an edge's connections. These are 6/10 of 7/8 of its files (docs/limits.md). */
const FILES_PER_CLIENT = 1 / (0.5 * 0.6 * 0.875);

/** Clients that are connected and subscribed, and get no events. */
export const idleClients: Scenario = {
  name: 'idle-clients',
  about: 'memory that a connected and subscribed client takes, after a garbage collection',

  async run(settings) {
    const count = settings.quick ? 500 : 10_000;
    requireOpenFiles(Math.ceil(count * FILES_PER_CLIENT) + OTHER_FILES);
    const redis = await BenchRedis.start({ appendOnly: false });
    const publisher = new Publisher(redis.url);
    try {
      const audiences = await publisher.prepare(TENANTS);
      const measure = (name: ContenderName) => memoryOfAClient(name, count, { redis, audiences, settings });
      const memory = {
        product: [await measure('product')],
        floor: [await measure('floor')],
        peer: [await measure('peer')],
      };
      const labels = { scenario: `${count} idle clients`, measure: 'memory, KB/client' };
      return [rowOf(labels, memory, (kilobytes) => kilobytes, { itself: 16 })];
    } finally {
      await publisher.stop();
      await redis.stop();
    }
  },
};

interface Surroundings {
  readonly redis: BenchRedis;
  readonly audiences: readonly Audience[];
  readonly settings: Settings;
}

/** In KB. The first client of each tenant, and code that runs for the first time, do not count. */
async function memoryOfAClient(
  name: ContenderName,
  count: number,
  { redis, audiences, settings }: Surroundings,
): Promise<number> {
  const inspector = await freePort();
  const server = await startServer(name, {
    redisUrl: redis.url,
    cores: settings.cores,
    nodeOptions: `--inspect=127.0.0.1:${inspector}`,
  });
  const settled = async () => {
    await collectGarbage(inspector);
    await delay(SETTLE_MS);
    await collectGarbage(inspector);
    return residentMemoryOf(server.process.pid);
  };
  const clients = await Clients.connect(server, audiences);
  try {
    const before = await settled();
    await clients.add(server, Array.from({ length: count / audiences.length }, () => audiences).flat());
    return ((await settled()) - before) / count / 1_024;
  } finally {
    await clients.stop();
    await server.process.kill();
  }
}

/** Node uses what the hard limit allows. Only a person can raise that limit. */
function requireOpenFiles(needed: number): void {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  if (limit === 'unlimited' || Number(limit) >= needed) return;
  throw new Error(
    `this takes ${needed} open files a process; ${limit} are allowed: ulimit -Hn ${needed}, as root`,
  );
}
