import { createLogger } from '@wafleet/runtime';
import { startRedis, type TestRedis } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { connectRedis, type RedisConnection, type RedisRole } from '../redis/connection.js';
import type { Fence, SessionRef } from '../redis/session-ref.js';
import { Ownership } from '../sessions/ownership.js';
import { SessionDirectory } from '../sessions/session-directory.js';

export { everythingIn } from './everything-in.js';

export const logger = createLogger({ app: 'test', level: 'silent' });

export interface RedisFixture {
  readonly server: TestRedis;
  /** A connection of role `command`. */
  readonly redis: RedisConnection;
  /** A further connection; it is closed after the test. */
  connect(role: RedisRole, name?: string): RedisConnection;
}

/** Gives the tests of a file a Redis of their own, which is emptied before each test. */
export function useRedis(): RedisFixture {
  let server: TestRedis | undefined;
  let connections: RedisConnection[] = [];
  let redis: RedisConnection | undefined;

  function running<T>(thing: T | undefined): T {
    if (thing === undefined) throw new Error('Redis runs inside tests only');
    return thing;
  }
  const fixture: RedisFixture = {
    get server() {
      return running(server);
    },
    get redis() {
      return running(redis);
    },
    connect(role, name = role) {
      const connection = connectRedis({ url: running(server).url, role, name, logger });
      connections.push(connection);
      return connection;
    },
  };

  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(async () => {
    redis = fixture.connect('command');
    await redis.flushall();
  });
  afterEach(() => {
    for (const connection of connections) connection.disconnect();
    connections = [];
  });
  afterAll(async () => {
    await server?.stop();
  });
  return fixture;
}

/** A session of the directory that `worker` owns. */
export async function ownedSession(redis: RedisConnection, ref: SessionRef, worker: string): Promise<Fence> {
  const directory = new SessionDirectory(redis);
  if ((await directory.get(ref)) === undefined) await directory.create(ref);
  return claimed(redis, ref, worker);
}

/** Claims a session that no other worker owns. */
export async function claimed(
  redis: RedisConnection,
  ref: SessionRef,
  worker: string,
  expectPrevious?: string,
): Promise<Fence> {
  const claim = await new Ownership(redis).claim(ref, { worker, expectPrevious });
  if ('refusedBy' in claim) throw new Error(`${claim.refusedBy.worker} owns the session`);
  return claim.fence;
}
