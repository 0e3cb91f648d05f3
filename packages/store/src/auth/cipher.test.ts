import { StartError } from '@wafleet/runtime';
import { describe, expect, test } from 'vitest';
import { everythingIn, useRedis } from '../testing/redis-fixture.js';
import { Cipher, SealedValueError } from './cipher.js';
import { verifyEncryptionKey } from './encryption-check.js';

const KEY = '0123456789abcdef'.repeat(4);
const OTHER_KEY = 'f'.repeat(64);
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const secret = Buffer.from('a private key of some length');

describe('a sealed value', () => {
  const cipher = Cipher.fromHexKeys(KEY);
  const sealed = cipher.sessionScope(shop).seal(secret, 'creds');

  test('opens in its place, also by another process with the same key', () => {
    const opened = Cipher.fromHexKeys(KEY.toUpperCase()).sessionScope(shop).open(sealed, 'creds');
    expect(opened.equals(secret)).toBe(true);
  });

  test('shows nothing of its content and differs each time', () => {
    expect(sealed.includes(secret.subarray(0, 8))).toBe(false);
    expect(cipher.sessionScope(shop).seal(secret, 'creds').equals(sealed)).toBe(false);
  });

  test('never has the nonce of another one', () => {
    const scopes = [cipher.sessionScope(shop), Cipher.fromHexKeys(OTHER_KEY).sessionScope(shop)];
    const nonces = Array.from({ length: 1_000 }, (_, index) =>
      scopes[index % 2]?.seal(secret, 'creds').subarray(5, 17).toString('hex'),
    );
    expect(new Set(nonces).size).toBe(1_000);
    expect(nonces).not.toContain(undefined);
  });

  test('holds empty and large values', () => {
    const scope = cipher.sessionScope(shop);
    for (const plain of [Buffer.alloc(0), Buffer.alloc(1_000_000, 7)]) {
      expect(scope.open(scope.seal(plain, 'x'), 'x').equals(plain)).toBe(true);
    }
  });

  test.each([
    ['another field', () => cipher.sessionScope(shop).open(sealed, 'session:peer')],
    ['another session', () => cipher.sessionScope({ ...shop, sessionId: 'desk' }).open(sealed, 'creds')],
    ['another tenant', () => cipher.sessionScope({ ...shop, tenantId: 'tnt_b' }).open(sealed, 'creds')],
    ['another key', () => Cipher.fromHexKeys(OTHER_KEY).sessionScope(shop).open(sealed, 'creds')],
  ])('does not open with %s', (_name, open) => {
    expect(open).toThrow(SealedValueError);
  });

  test('does not open when any byte of it was changed or it was cut', () => {
    const scope = cipher.sessionScope(shop);
    for (let index = 0; index < sealed.length; index++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(() => scope.open(changed, 'creds')).toThrow(SealedValueError);
      expect(() => scope.open(sealed.subarray(0, index), 'creds')).toThrow(SealedValueError);
    }
  });
});

describe('with several keys', () => {
  const rotating = Cipher.fromHexKeys(`${OTHER_KEY},${KEY}`).sessionScope(shop);
  const before = Cipher.fromHexKeys(KEY).sessionScope(shop);
  const after = Cipher.fromHexKeys(OTHER_KEY).sessionScope(shop);

  test('the first seals, all open, and it is known which values are outdated', () => {
    const [old, fresh] = [before.seal(secret, 'creds'), rotating.seal(secret, 'creds')];
    expect([old, fresh].map((sealed) => rotating.open(sealed, 'creds').equals(secret))).toEqual([true, true]);
    expect([old, fresh].map((sealed) => rotating.isCurrent(sealed))).toEqual([false, true]);
    expect(after.open(fresh, 'creds').equals(secret)).toBe(true);
    expect(() => before.open(fresh, 'creds')).toThrow(SealedValueError);
  });
});

test.each(['', 'xyz', `${KEY},`, `${KEY},xyz`, KEY.slice(1), `${KEY}00`, 'g'.repeat(64)])(
  '%j is not a key',
  (hex) => {
    expect(() => Cipher.fromHexKeys(hex)).toThrow(TypeError);
  },
);

describe('the encryption check', () => {
  const fixture = useRedis();

  test('accepts the key that the first worker brought, and refuses another, changing nothing', async () => {
    await verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(KEY));
    await verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(KEY));
    const before = await everythingIn(fixture.redis);
    const wrong = verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(OTHER_KEY));
    await expect(wrong).rejects.toThrow(StartError);
    await expect(wrong).rejects.toThrow('ENCRYPTION_KEY');
    expect((await everythingIn(fixture.redis)).equals(before)).toBe(true);
    await verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(KEY));
  });

  test('goes over to a new key once a worker has it as the first', async () => {
    const check = (list: string) => verifyEncryptionKey(fixture.redis, Cipher.fromHexKeys(list));
    await check(KEY);
    await check(`${KEY},${OTHER_KEY}`);
    await expect(check(OTHER_KEY)).rejects.toThrow(StartError);
    await check(`${OTHER_KEY},${KEY}`);
    await check(`${KEY},${OTHER_KEY}`);
    await check(`${OTHER_KEY},${KEY}`);
    await check(OTHER_KEY);
    await expect(check(KEY)).rejects.toThrow(StartError);
  });
});
