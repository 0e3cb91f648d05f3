import { randomBytes } from 'node:crypto';
import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal, trustRootKey } from '@wafleet/session';
import { Simulator } from '@wafleet/simulator';
import {
  Cipher,
  connectRedis,
  EVENT_LOG_BOUNDS,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
  TenantDirectory,
} from '@wafleet/store';
import { startRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { OwnedSessions } from './sessions/owned-sessions.js';

/**
 * A command does not get to Redis, or its answer does not come, because of a timeout or because the connection ended. A
 * session must not be left to a worker that does not have it, since no sweep takes it from a living one.
 */
const logger = createLogger({ app: 'worker-test', level: 'silent' });
const worker = 'wrk_a';

let server: Awaited<ReturnType<typeof startRedis>>;
let simulator: Simulator;
let redis: RedisConnection;
let sessions: OwnedSessions;
let directory: SessionDirectory;
let tenantId: string;

beforeAll(async () => {
  quietLibsignal();
  installPatches();
  simulator = new Simulator();
  [server] = await Promise.all([startRedis(), simulator.start()]);
  trustRootKey(simulator.rootKey);
});

afterAll(async () => {
  await Promise.all([simulator.stop(), server.stop()]);
});

beforeEach(async () => {
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
  directory = new SessionDirectory(redis);
  tenantId = (await new TenantDirectory(redis).create('Acme')).id;
  sessions = new OwnedSessions({
    redis,
    cipher: Cipher.fromHexKeys(randomBytes(32).toString('hex')),
    worker,
    whatsapp: { url: simulator.url },
    capacity: 100,
    eventLog: { maxLength: 1_000, maxAgeMs: EVENT_LOG_BOUNDS.maxAgeMs },
    connectsPerSecond: 1_000,
    isOwnershipCertain: () => true,
    logger,
  });
});

afterEach(() => {
  sessions.discardAll();
  redis.disconnect();
});

type Lost = 'command' | 'answer';

/** Loses the command of this number, from 1 on, that names the session, or its answer. Returns whether it has come. */
function lose(what: Lost, { sessionId }: SessionRef, number: number): () => boolean {
  const send = redis.sendCommand;
  let seen = 0;
  redis.sendCommand = (command, stream) => {
    if (!command.args.some((one) => String(one).includes(sessionId)))
      return send.call(redis, command, stream);
    seen += 1;
    if (seen !== number) return send.call(redis, command, stream);
    const fail = () => command.reject(new Error('Command timed out'));
    if (what === 'answer') {
      command.resolve = fail;
      return send.call(redis, command, stream);
    }
    fail();
    return command.promise;
  };
  return () => seen >= number;
}

async function newSession(sessionId: string): Promise<SessionRef> {
  const ref = { tenantId, sessionId };
  await directory.create(ref);
  return ref;
}

test.each<Lost>(['command', 'answer'])(
  'an assigned session is here or without a worker, whichever %s was lost',
  async (what) => {
    // Redis has the scripts from here on, and each command is sent once.
    await sessions.assign(await newSession('first'), undefined);
    let lost = 0;
    for (let number = 1; ; number += 1) {
      const ref = await newSession(`assigned-${number}`);
      const isLost = lose(what, ref, number);
      const outcome = await sessions.assign(ref, undefined).then(
        () => 'assigned',
        () => 'refused',
      );
      if (outcome === 'assigned' && !isLost()) break;
      if (outcome === 'assigned') continue;
      lost += 1;
      await waitFor(async () => (await directory.require(ref)).worker === undefined, {
        what: `no worker has the session after ${what} ${number} was lost`,
      });
    }
    expect(lost).toBeGreaterThan(1);
  },
);

test.each<Lost>(['command', 'answer'])(
  'a session that is handed over has no worker in the end, whichever %s was lost',
  async (what) => {
    let lost = 0;
    for (let number = 1; ; number += 1) {
      const ref = await newSession(`moved-${number}`);
      await sessions.assign(ref, undefined);
      await waitFor(async () => (await directory.require(ref)).status === 'awaiting_link', {
        what: 'a QR code',
      });
      const isLost = lose(what, ref, number);
      await sessions.release(ref, 'moved').catch(() => {});
      if (!isLost()) break;
      lost += 1;
      await waitFor(async () => (await directory.require(ref)).worker === undefined, {
        what: `no worker has the session after ${what} ${number} was lost`,
      });
    }
    expect(lost).toBeGreaterThan(1);
  },
);

test('a session whose claim ends after all sessions were given up is not opened', async () => {
  // Redis has the scripts from here on.
  await sessions.assign(await newSession('first'), undefined);
  const ref = await newSession('late');
  const send = redis.sendCommand;
  let reads = 0;
  redis.sendCommand = (command, stream) => {
    const isRead = command.args.some((one) => String(one).includes(`session:${ref.sessionId}`));
    // The second one, after the claim, reads the record.
    reads += isRead ? 1 : 0;
    if (isRead && reads === 2) sessions.discardAll();
    return send.call(redis, command, stream);
  };
  await expect(sessions.assign(ref, undefined)).rejects.toMatchObject({ code: 'NO_WORKER' });
  expect(reads).toBe(2);
  expect(sessions.count).toBe(0);
});
