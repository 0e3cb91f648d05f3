import { type UploadedMedia, WafleetError } from '@wafleet/contract';
import { describe, expect, test } from 'vitest';
import { Cipher, SealedValueError } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { keys } from '../redis/keyspace.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { useRedis } from '../testing/redis-fixture.js';
import { UploadBoxes } from './upload-boxes.js';
import { UploadRecords } from './upload-records.js';

const fixture = useRedis();
const cipher = Cipher.fromHexKeys('11'.repeat(32));
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const idOf = (number: number) => `upl_${String(number).padStart(24, '0')}`;
const shown = (number = 1) => ({
  ...{ uploadId: idOf(number), type: 'image' as const, mimetype: 'image/jpeg', bytes: 5, width: 7 },
});
const file: UploadedMedia = {
  ...{ directPath: '/v/secret-path', mediaKey: 'c2VjcmV0', sha256: 'YQ==', encryptedSha256: 'Yg==' },
  ...{ length: 5, mimetype: 'image/jpeg', keyMadeAt: 1 },
};

async function recordsOf(ref = shop): Promise<UploadRecords> {
  await verifyEncryptionKey(fixture.redis, cipher);
  await new SessionDirectory(fixture.redis).create(ref);
  return new UploadRecords(fixture.redis);
}

describe('an upload', () => {
  test('is found for seven days, and opens on workers alone', async () => {
    const records = await recordsOf();
    const upload = await records.put(shop, shown(), file);
    const days = (Date.parse(upload.expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    const stored = await records.get(shop, idOf(1));
    expect(stored).toEqual({ ...upload, sealed: expect.any(String) });
    const boxes = new UploadBoxes(cipher);
    expect(boxes.open(shop, idOf(1), stored?.sealed ?? '')).toEqual(file);
    expect(() => boxes.open(shop, idOf(2), stored?.sealed ?? '')).toThrow(SealedValueError);
    const other = { tenantId: 'tnt_a', sessionId: 'other' };
    expect(() => boxes.open(other, idOf(1), stored?.sealed ?? '')).toThrow(SealedValueError);
    const text = JSON.stringify(await fixture.redis.hgetall(keys.uploads(shop)[0] ?? ''));
    expect(text).not.toMatch(/secret-path|c2VjcmV0/);
    for (const key of keys.uploads(shop)) expect(await fixture.redis.pttl(key)).toBeGreaterThan(0);
  });

  test('that is put again replaces the earlier one, and a deleted one is gone', async () => {
    const records = await recordsOf();
    await records.put(shop, shown(), file);
    await records.put(shop, { ...shown(), bytes: 6 }, file);
    expect(await records.get(shop, idOf(1))).toMatchObject({ bytes: 6 });
    expect([await records.delete(shop, idOf(1)), await records.delete(shop, idOf(1))]).toEqual([true, false]);
    expect(await records.get(shop, idOf(1))).toBeUndefined();
  });

  test('that has expired is not found, and makes room', async () => {
    const records = await recordsOf();
    await records.put(shop, shown(), file);
    const [uploads = '', ends = ''] = keys.uploads(shop);
    await fixture.redis.zadd(ends, 1, idOf(1));
    expect(await records.get(shop, idOf(1))).toBeUndefined();
    await records.put(shop, shown(2), file);
    expect(await fixture.redis.hkeys(uploads)).toEqual([idOf(2)]);
  });

  test('beyond the bound is refused, and so is one of no session', async () => {
    const records = await recordsOf();
    const [, ends = ''] = keys.uploads(shop);
    const later = Date.now() + 60_000;
    await fixture.redis.zadd(ends, ...Array.from({ length: 1_000 }, (_, n) => [later, `upl_${n}`]).flat());
    await expect(records.put(shop, shown(), file)).rejects.toMatchObject({
      code: 'TOO_MANY_UPLOADS',
      details: { resource: 'uploads', limit: 1_000 },
    });
    const lost = records.put({ ...shop, sessionId: 'lost' }, shown(), file);
    await expect(lost).rejects.toBeInstanceOf(WafleetError);
  });

  test.each([0, 1])('is stored although record %i has another type', async (index) => {
    const records = await recordsOf();
    await fixture.redis.set(keys.uploads(shop)[index] ?? '', 'damaged');
    expect(await records.get(shop, idOf(1))).toBeUndefined();
    await records.put(shop, shown(), file);
    expect(await records.get(shop, idOf(1))).toBeDefined();
  });
});
