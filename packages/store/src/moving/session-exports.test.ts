import { initAuthCreds } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { AuthStateStore } from '../auth/auth-state.js';
import { Cipher } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { WorkerBoxes } from '../auth/worker-box.js';
import { keys } from '../redis/keyspace.js';
import { Ownership } from '../sessions/ownership.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import type { SessionRecord } from '../sessions/session-entry.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { SessionExports } from './session-exports.js';

const fixture = useRedis();
const cipher = Cipher.fromHexKeys('07'.repeat(32));
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const key = Buffer.from('what the bundle is to be sealed with');

async function requested(standsMs = 60_000) {
  await verifyEncryptionKey(fixture.redis, cipher);
  const exports = new SessionExports(fixture.redis);
  const directory = new SessionDirectory(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await directory.setStatus(fence, { status: 'open' });
  const id = await exports.request(shop, { key, standsMs });
  const request = (await directory.require(shop)).exportRequest;
  if (request === undefined) throw new Error('the export was not noted');
  return { exports, directory, fence, id, request };
}

type Requested = Awaited<ReturnType<typeof requested>>;

function isOver({ exportRequest, readAt = 0 }: SessionRecord): boolean {
  return exportRequest !== undefined && exportRequest.by < readAt;
}

describe('an export', () => {
  test('is noted with the session, and only workers can read its key', async () => {
    const { exports, request, id } = await requested();
    expect(request.id).toBe(id);
    expect((await everythingIn(fixture.redis)).includes(key)).toBe(false);
    expect(exports.openKey(shop, request, new WorkerBoxes(cipher))).toEqual(key);
  });

  test('closes the session together with its bundle, which is there until it is forgotten', async () => {
    const { exports, directory, fence, request, id } = await requested();
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(true);
    const record = await directory.require(shop);
    expect(record).toMatchObject({ status: 'closed', reason: 'exported', desired: 'closed' });
    expect(record.exportRequest).toBeUndefined();
    for (const _ of ['once', 'again'])
      expect(await exports.outcomeOf(shop, id)).toEqual({ bundle: Buffer.from('sealed') });
    await exports.forget(shop, id);
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
    expect(await exports.cancel(shop, id)).toBe(false);
  });

  test('leaves a closed session, whatever a placer does that has not seen that', async () => {
    const { exports, directory, fence, request } = await requested();
    await exports.finish(fence, request, { bundle: Buffer.from('sealed') });
    await new Ownership(fixture.redis).release(fence);
    expect(await directory.markQueued(shop, 'no worker took the session')).toBe(false);
    expect(await directory.require(shop)).toMatchObject({ status: 'closed', reason: 'exported' });
    // A login that logs it out would unlink the session where it is now.
    expect(await directory.markRemoval(shop, { patienceMs: 60_000 })).toBe('handed-out');
  });

  test('ends what is stored of its link, whose first synchronisation may be under way', async () => {
    const { exports, directory, fence, request } = await requested();
    await directory.setStatus(fence, { status: 'queued', link: { step: 'syncing', next: 'wait' } });
    expect(await directory.get(shop)).toHaveProperty('link');
    await exports.finish(fence, request, { bundle: Buffer.from('sealed') });
    expect(await directory.get(shop)).not.toHaveProperty('link');
  });

  test('leaves the session as it is if there is nothing to hand out', async () => {
    const { exports, directory, fence, request, id } = await requested();
    await exports.finish(fence, request, { failure: 'not-linked' });
    expect(await directory.get(shop)).toMatchObject({ status: 'open', desired: 'open' });
    expect(await exports.outcomeOf(shop, id)).toEqual({ failure: 'not-linked' });
  });

  test('changes nothing if it was taken back', async () => {
    const { exports, directory, fence, request, id } = await requested();
    expect(await exports.cancel(shop, id)).toBe(true);
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(false);
    expect((await directory.require(shop)).status).toBe('open');
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
  });

  test('is one at a time, until its time is over', async () => {
    const { exports } = await requested(1);
    const again = { key, standsMs: 60_000 };
    await expect.poll(() => exports.request(shop, again).catch(() => undefined)).toBeDefined();
    await expect(exports.request(shop, again)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('gets the same answer when its bundle is sent again, because the answer was lost', async () => {
    const { exports, directory, fence, request, id } = await requested();
    const outcome = { bundle: Buffer.from('sealed') };
    expect(await exports.finish(fence, request, outcome)).toBe(true);
    await exports.forget(shop, id);
    expect(await exports.finish(fence, request, outcome)).toBe(true);
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
    expect(await directory.get(shop)).toMatchObject({ status: 'closed', reason: 'exported' });
  });

  test('stands as long as it is kept, and hands nothing out afterwards', async () => {
    const { exports, directory, fence, request, id } = await requested(50);
    expect(await exports.keep(shop, id, 100)).toBe(true);
    await expect.poll(() => directory.require(shop).then(isOver)).toBe(true);
    expect(await exports.keep(shop, id, 60_000)).toBe(false);
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(false);
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
    expect(await directory.get(shop)).toMatchObject({ status: 'open', desired: 'open' });
    expect(await directory.get(shop)).not.toHaveProperty('exportRequest');
  });

  test('is kept no longer once it was carried out or taken back', async () => {
    const { exports, fence, request, id } = await requested();
    expect(await exports.keep(shop, id, 60_000)).toBe(true);
    await exports.finish(fence, request, { bundle: Buffer.from('sealed') });
    expect(await exports.keep(shop, id, 60_000)).toBe(false);
    const second = await exports.request(shop, { key, standsMs: 60_000 });
    expect(await exports.keep(shop, id, 60_000)).toBe(false);
    await exports.cancel(shop, second);
    expect(await exports.keep(shop, second, 60_000)).toBe(false);
  });

  test.each([
    ['this release', ({ directory }: Requested) => directory.markRemoval(shop, { patienceMs: 60_000 })],
    ['an earlier release', () => fixture.redis.hset(keys.session(shop), 'removeBy', '99999999999999')],
  ] as const)('ends with a removal that %s has noted: nothing is handed out', async (_release, mark) => {
    const all = await requested();
    const { exports, directory, fence, request, id } = all;
    await mark(all);
    expect(await exports.keep(shop, id, 60_000)).toBe(false);
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(false);
    expect(await exports.outcomeOf(shop, id)).toBeUndefined();
    expect(await directory.get(shop)).toMatchObject({ status: 'open', desired: 'open' });
    await expect(exports.request(shop, { key, standsMs: 1 })).rejects.toMatchObject({ code: 'NOT_LINKED' });
  });

  test('is not followed by a logout: a removal that comes late changes nothing', async () => {
    const { exports, directory, fence, request } = await requested();
    await exports.finish(fence, request, { bundle: Buffer.from('sealed') });
    await new Ownership(fixture.redis).release(fence);
    const before = await directory.get(shop);
    expect(await directory.markRemoval(shop, { patienceMs: 60_000 })).toBe('handed-out');
    expect(await directory.get(shop)).toEqual(before);
  });

  test('is measured before: how many records, and about what they take in a bundle', async () => {
    const { exports, fence } = await requested();
    const store = new AuthStateStore({ redis: fixture.redis, cipher, fence });
    expect(await exports.measure(shop)).toEqual({ records: 0, bytes: 0 });
    const { creds, keys: records } = await store.load(initAuthCreds);
    Object.assign(creds, { me: { id: '15551230001:3@s.whatsapp.net' }, account: {} });
    await store.saveCreds();
    const senderKey = Buffer.from(`[{"senderKeyId":${'7'.repeat(3_000)}}]`);
    const ids = Array.from({ length: 1_500 }, (_, index) => `12036300000@g.us::${index}::0`);
    await records.set({ 'sender-key': Object.fromEntries(ids.map((id) => [id, senderKey])) });
    const inBundle = { type: 'Buffer', data: senderKey.toString('base64') };
    const entries = ids.map((id) => [`sender-key-${id}`, inBundle] as const);
    const { length } = JSON.stringify(Object.fromEntries(entries));
    const { records: count, bytes } = await exports.measure(shop);
    expect(count).toBe(1_501);
    expect(bytes).toBeGreaterThanOrEqual(length);
    expect(bytes).toBeLessThan(length * 1.05);
  });

  test('of a session that does not exist is refused', async () => {
    await verifyEncryptionKey(fixture.redis, cipher);
    const exports = new SessionExports(fixture.redis);
    await expect(exports.request(shop, { key, standsMs: 1 })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });

  test('is carried out by the latest owner only', async () => {
    const { exports, fence, request } = await requested();
    await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
    await expect(exports.finish(fence, request, { bundle: Buffer.from('sealed') })).rejects.toThrow();
  });
});
