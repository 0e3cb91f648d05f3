import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { parseTenantLimits, TenantLimitTable } from './tenant-limits.js';

const fixture = useRedis();
const TENANT = 'tnt_a';

test('a tenant has the defaults until the administrator sets limits, and again after they are removed', async () => {
  const table = new TenantLimitTable(fixture.redis);
  expect(await table.read(TENANT)).toEqual(DEFAULT_TENANT_LIMITS);
  await table.change(TENANT, { sessions: 7, restUnits: 500 });
  await table.change(TENANT, { restUnits: undefined, commands: 3 });
  expect(await table.read(TENANT)).toEqual({
    ...DEFAULT_TENANT_LIMITS,
    ...{ sessions: 7, restUnits: 500, commands: 3 },
  });
  await table.change(TENANT, { sessions: null, restUnits: null, commands: null });
  expect(await table.read(TENANT)).toEqual(DEFAULT_TENANT_LIMITS);
  expect(await fixture.redis.exists(keys.tenantLimits(TENANT))).toBe(0);
});

test('first limits that are set at two edges at a time are all kept', async () => {
  const tables = [fixture.connect('command'), fixture.connect('command')].map(
    (connection) => new TenantLimitTable(connection),
  );
  const tenants = Array.from({ length: 200 }, (_, index) => `tnt_${index}`);
  for (const tenantId of tenants) {
    await Promise.all([
      tables[0]?.change(tenantId, { sessions: 7 }),
      tables[1]?.change(tenantId, { commands: 3 }),
    ]);
  }
  const own = await Promise.all(tenants.map((tenantId) => tables[0]?.readOwn(tenantId)));
  expect(own).toEqual(tenants.map(() => ({ sessions: 7, commands: 3 })));
});

test('a stored value that is not valid is ignored', async () => {
  await fixture.redis.hset(keys.tenantLimits(TENANT), { sessions: 'many', commands: '-4', unknown: '1' });
  expect(await new TenantLimitTable(fixture.redis).read(TENANT)).toEqual(DEFAULT_TENANT_LIMITS);
});

test('a change has effect on other processes within seconds', async () => {
  const admin = new TenantLimitTable(fixture.redis);
  const other = new TenantLimitTable(fixture.connect('command'));
  expect((await other.get(TENANT)).sessions).toBe(DEFAULT_TENANT_LIMITS.sessions);
  await admin.change(TENANT, { sessions: 7 });
  expect((await admin.get(TENANT)).sessions).toBe(7);
  await waitFor(async () => (await other.get(TENANT)).sessions === 7, { what: 'the new limit' });
  await admin.change(TENANT, { sessions: 8 });
  await waitFor(() => other.latest(TENANT).sessions === 8, { what: 'the new limit, without waiting' });
});

test('the last known limits hold while Redis is away', async () => {
  const connection = fixture.connect('command');
  const table = new TenantLimitTable(connection);
  await table.change(TENANT, { sessions: 7 });
  expect((await table.get(TENANT)).sessions).toBe(7);
  connection.disconnect();
  expect((await table.get(TENANT)).sessions).toBe(7);
  expect((await table.get('tnt_unknown')).sessions).toBe(DEFAULT_TENANT_LIMITS.sessions);
});

test.each([
  ['', DEFAULT_TENANT_LIMITS],
  [' sessions = 5 , logBytes=8388608,', { ...DEFAULT_TENANT_LIMITS, sessions: 5, logBytes: 8_388_608 }],
  ['sessions=-1', undefined],
  ['sessions=1.5', undefined],
  ['restUnits=1', undefined],
  ['sessions', undefined],
  ['toString=5', undefined],
])('the defaults of a cluster are read: "%s"', (text, limits) => {
  expect(parseTenantLimits(text)).toEqual(limits);
});
