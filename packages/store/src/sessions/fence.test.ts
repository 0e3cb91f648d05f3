import { initAuthCreds } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { AuthStateStore, deleteAuthState } from '../auth/auth-state.js';
import { Cipher } from '../auth/cipher.js';
import { EventLog } from '../events/event-log.js';
import { RecentMessages } from '../messages/recent-messages.js';
import { SessionExports } from '../moving/session-exports.js';
import { SendPauses } from '../pacing/send-pauses.js';
import { SessionPacing } from '../pacing/session-pacing.js';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { type Fence, FencedError } from '../redis/session-ref.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { CallReplies } from './call-replies.js';
import { LinkOffers } from './link-offers.js';
import { Ownership } from './ownership.js';
import { PasskeyLinks } from './passkey-links.js';
import { SessionDirectory } from './session-directory.js';

const fixture = useRedis();
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
const cipher = Cipher.fromHexKeys('07'.repeat(32));

async function authStateOf(redis: RedisConnection, fence: Fence) {
  const store = new AuthStateStore({ redis, cipher, fence });
  return { store, state: await store.load(initAuthCreds) };
}

/** Every write that takes a fence. */
const writes: Record<string, (redis: RedisConnection, fence: Fence) => Promise<unknown>> = {
  'append of events': (redis, fence) =>
    new EventLog(redis, { maxLength: 10 }).append(fence, [{ event: 'call', body: '{"a":1}' }]),
  'save of credentials': async (redis, fence) => (await authStateOf(redis, fence)).store.saveCreds(),
  'set of Signal records': async (redis, fence) =>
    (await authStateOf(redis, fence)).state.keys.set({ session: { peer: Buffer.from('x') } }),
  'deletion of Signal records': async (redis, fence) =>
    (await authStateOf(redis, fence)).state.keys.set({ session: { kept: null } }),
  'deletion of all credentials': deleteAuthState,
  'change of status': (redis, fence) => new SessionDirectory(redis).setStatus(fence, { status: 'open' }),
  'show of a QR code': (redis, fence) =>
    new LinkOffers(redis).putQr(fence, { qr: '2@x', expiresAt: Date.now() + 60_000 }),
  'removal of a QR code': (redis, fence) => new LinkOffers(redis).clear(fence),
  'note of a reply to a call': (redis, fence) => new CallReplies(redis).note(fence, '1@lid'),
  'message taken from a budget': (redis, fence) =>
    new SessionPacing(redis).take(
      fence,
      { messageId: 'id', person: ['1@lid'] },
      { sendsPerMinute: 1, newChatsPerDay: 1, warmUp: [], linkedAt: undefined },
    ),
  'note of a chat': (redis, fence) => new SessionPacing(redis).noteChats(fence, ['1@lid']),
  'note of a refused message': (redis, fence) => new SendPauses(redis).noteRefusal(fence, { threshold: 1 }),
  'note of a time lock': (redis, fence) => new SendPauses(redis).noteTimeLock(fence, Date.now() + 60_000),
  'end of a pause': (redis, fence) => new SendPauses(redis).clear(fence),
  'end of the token for a passkey': (redis, fence) => new PasskeyLinks(redis).end(fence),
  'shorter life of that token': (redis, fence) => new PasskeyLinks(redis).endWithin(fence, 0),
  'end of an export': async (redis, fence) =>
    new SessionExports(redis).finish(fence, { id: 'export', by: 0, key: '' }, { bundle: Buffer.from('x') }),
  'keeping of a message': (redis, fence) =>
    new RecentMessages({ redis, cipher }).put(fence, 'id', Buffer.from('x')),
};

async function sessionWithState(redis: RedisConnection): Promise<Fence> {
  const fence = await ownedSession(redis, ref, 'wrk_a');
  const { state, store } = await authStateOf(redis, fence);
  await store.saveCreds();
  await state.keys.set({ session: { kept: Buffer.from('kept') } });
  await new LinkOffers(redis).putQr(fence, { qr: '2@old', expiresAt: Date.now() + 600_000 });
  await new PasskeyLinks(redis).create(fence, Date.now() + 600_000);
  await new SendPauses(redis).noteRefusal(fence, { threshold: 3 });
  await redis.hset(keys.session(ref), { exportId: 'export' });
  return fence;
}

describe.each(Object.entries(writes))('%s', (_name, write) => {
  test('succeeds under the latest fence', async () => {
    const fence = await sessionWithState(fixture.redis);
    const before = await everythingIn(fixture.redis);
    await write(fixture.redis, fence);
    expect(before.equals(await everythingIn(fixture.redis))).toBe(false);
  });

  test('is refused under an earlier epoch of the same worker, and nothing is written', async () => {
    const fence = await sessionWithState(fixture.redis);
    await claimed(fixture.redis, ref, 'wrk_a');
    await expectRefused(write, fence);
  });

  test('is refused to another worker in the same epoch, and nothing is written', async () => {
    const fence = await sessionWithState(fixture.redis);
    await expectRefused(write, { ...fence, worker: 'wrk_b' });
  });

  test('is refused after a takeover, and nothing is written', async () => {
    const fence = await sessionWithState(fixture.redis);
    await claimed(fixture.redis, ref, 'wrk_b', 'wrk_a');
    await expectRefused(write, fence);
  });

  test('is refused after the release, and nothing is written', async () => {
    const fence = await sessionWithState(fixture.redis);
    await new Ownership(fixture.redis).release(fence);
    await expectRefused(write, fence);
  });

  test('is refused after the purge, and nothing is written', async () => {
    const fence = await sessionWithState(fixture.redis);
    await new SessionDirectory(fixture.redis).purge(ref);
    await expectRefused(write, fence);
  });

  test('is refused without an owner record, and nothing is written', async () => {
    await expectRefused(write, { ...ref, epoch: 1, worker: 'wrk_a' });
  });
});

async function expectRefused(write: (typeof writes)[string], fence: Fence): Promise<void> {
  const before = await everythingIn(fixture.redis);
  await expect(write(fixture.redis, fence)).rejects.toThrow(FencedError);
  expect((await everythingIn(fixture.redis)).equals(before)).toBe(true);
}
