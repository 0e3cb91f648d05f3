import { describe, expect, test } from 'vitest';
import { Cipher } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { WorkerBoxes } from '../auth/worker-box.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { claimed, everythingIn, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { SessionExports } from './session-exports.js';

const fixture = useRedis();
const cipher = Cipher.fromHexKeys('07'.repeat(32));
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const key = Buffer.from('what the bundle is to be sealed with');

async function requested(withinMs = 60_000) {
  await verifyEncryptionKey(fixture.redis, cipher);
  const exports = new SessionExports(fixture.redis);
  const directory = new SessionDirectory(fixture.redis);
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await directory.setStatus(fence, { status: 'open' });
  const id = await exports.request(shop, { key, withinMs });
  const request = (await directory.require(shop)).exportRequest;
  if (request === undefined) throw new Error('the export was not noted');
  return { exports, directory, fence, id, request };
}

describe('an export', () => {
  test('is noted with the session, and only workers can read its key', async () => {
    const { exports, request, id } = await requested();
    expect(request.id).toBe(id);
    expect((await everythingIn(fixture.redis)).includes(key)).toBe(false);
    expect(exports.openKey(shop, request, new WorkerBoxes(cipher))).toEqual(key);
  });

  test('closes the session together with its bundle, which is given once', async () => {
    const { exports, directory, fence, request, id } = await requested();
    expect(await exports.takeOutcome(shop, id)).toBeUndefined();
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(true);
    const record = await directory.require(shop);
    expect(record).toMatchObject({ status: 'closed', reason: 'exported', desired: 'closed' });
    expect(record.exportRequest).toBeUndefined();
    expect(await exports.takeOutcome(shop, id)).toEqual({ bundle: Buffer.from('sealed') });
    expect(await exports.takeOutcome(shop, id)).toBeUndefined();
    expect(await exports.cancel(shop, id)).toBe(false);
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
    expect(await exports.takeOutcome(shop, id)).toEqual({ failure: 'not-linked' });
  });

  test('changes nothing if it was taken back', async () => {
    const { exports, directory, fence, request, id } = await requested();
    expect(await exports.cancel(shop, id)).toBe(true);
    expect(await exports.finish(fence, request, { bundle: Buffer.from('sealed') })).toBe(false);
    expect((await directory.require(shop)).status).toBe('open');
    expect(await exports.takeOutcome(shop, id)).toBeUndefined();
  });

  test('is one at a time, until its time is over', async () => {
    const { exports } = await requested(1);
    const again = { key, withinMs: 60_000 };
    await expect.poll(() => exports.request(shop, again).catch(() => undefined)).toBeDefined();
    await expect(exports.request(shop, again)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('of a session that does not exist is refused', async () => {
    await verifyEncryptionKey(fixture.redis, cipher);
    const exports = new SessionExports(fixture.redis);
    await expect(exports.request(shop, { key, withinMs: 1 })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });

  test('is carried out by the latest owner only', async () => {
    const { exports, fence, request } = await requested();
    await claimed(fixture.redis, shop, 'wrk_b', 'wrk_a');
    await expect(exports.finish(fence, request, { bundle: Buffer.from('sealed') })).rejects.toThrow();
  });
});
