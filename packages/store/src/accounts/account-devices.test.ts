import { afterEach, expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { ownedSession, useRedis } from '../testing/redis-fixture.js';
import { AccountDevices } from './account-devices.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop', madeBy: 'call-1' };
const other = { tenantId: 'tnt_b', sessionId: 'other', madeBy: 'call-2' };
const device = '15551230001:3';

afterEach(() => fixture.server.command('ACL', 'SETUSER', 'default', '+hget'));

/** Notes that the first session has the device, as its login does. */
async function noted(): Promise<AccountDevices> {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  await new SessionDirectory(fixture.redis).setStatus(fence, {
    status: 'open',
    phone: '15551230001',
    device,
  });
  const devices = new AccountDevices(fixture.redis);
  await devices.note(device, shop);
  return devices;
}

test('a device whose session cannot be read stays with it, and the error is passed on', async () => {
  const devices = await noted();
  await fixture.server.command('ACL', 'SETUSER', 'default', '-hget');
  await expect(devices.reserve(device, other)).rejects.toThrow('NOPERM');
  await expect(devices.note(device, other)).rejects.toThrow('NOPERM');
  await fixture.server.command('ACL', 'SETUSER', 'default', '+hget');
  expect(await fixture.redis.hget(keys.account(device), 'session')).toBe('tnt_a/shop');
  expect(await devices.reserve(device, other)).toBe(false);
});

test('a device whose session has an entry of another type is free', async () => {
  const devices = await noted();
  await fixture.redis.set(keys.session(shop), 'damaged');
  expect(await devices.reserve(device, other)).toBe(true);
  expect(await fixture.redis.hget(keys.account(device), 'session')).toBe('tnt_b/other');
});
