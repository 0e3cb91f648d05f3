import { DEFAULT_TENANT_LIMITS, TENANT_LIMIT_NAMES } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { describe, expect, test } from 'vitest';
import { CommandClient } from '../commands/command-client.js';
import { EdgeRegistry } from '../edges/edge-registry.js';
import { EventLog } from '../events/event-log.js';
import { countResumeRecords, ResumeRecords } from '../events/resume-records.js';
import { PlacementRanks } from '../placement/placement-ranks.js';
import { LinkOffers } from '../sessions/link-offers.js';
import { SessionDirectory } from '../sessions/session-directory.js';
import { SessionIndex } from '../sessions/session-index.js';
import { SessionPages } from '../sessions/session-pages.js';
import { ApiKeys } from '../tenants/api-keys.js';
import { TenantDirectory } from '../tenants/tenant-directory.js';
import { TenantLeases } from '../tenants/tenant-leases.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { TenantRates } from '../tenants/tenant-rates.js';
import { TenantUsage } from '../tenants/tenant-usage.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { WorkerFailureDetector } from '../workers/failure-detector.js';
import { WorkerRegistry } from '../workers/worker-registry.js';
import { keys } from './keyspace.js';
import { UnreadableRecords } from './unreadable-records.js';

const fixture = useRedis();

function recordingLogger() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  return { lines, logger: createLogger({ app: 'test', level: 'info', destination: { write } }) };
}

const beatOf = (id: string) => ({
  ...{ id, host: 'test', release: '1.0.0', capacity: 10, sessions: 0 },
  ...{ draining: false, idlest: [] },
});

test('a record that cannot be read is logged once in five minutes, without its content', () => {
  const { lines, logger } = recordingLogger();
  let now = 0;
  const unreadable = new UnreadableRecords(logger, () => now);
  const report = (name: string) => unreadable.report({ kind: 'session', name, fields: ['status'] });
  report('a');
  report('a');
  report('b');
  now = 299_999;
  report('a');
  expect(lines.map(({ name }) => name)).toEqual(['a', 'b']);
  now = 300_000;
  report('a');
  expect(lines.map(({ name }) => name)).toEqual(['a', 'b', 'a']);
});

test('a session whose record cannot be read hides no other session from lists and scans', async () => {
  const { redis } = fixture;
  const { lines, logger } = recordingLogger();
  const directory = new SessionDirectory(redis, { logger });
  const tenants = new TenantDirectory(redis);
  const { id: tenantId } = await tenants.create('Acme');
  const { id: other } = await tenants.create('Other');
  const refOf = (sessionId: string) => ({ tenantId, sessionId });
  for (const id of ['good', 'paused', 'text', 'owner']) await directory.create(refOf(id));
  await directory.create({ tenantId: other, sessionId: 'theirs' });
  await redis.hset(keys.session(refOf('paused')), { status: 'paused', since: '9e99' });
  await redis.del(keys.session(refOf('text')));
  await redis.set(keys.session(refOf('text')), 'x');
  await redis.set(keys.owner(refOf('owner')), 'x');
  await redis.sadd(keys.sessions(tenantId), 'no session id');
  await redis.sadd(keys.tenants, 'broken');
  await redis.set(keys.sessions('broken'), 'x');

  const shown = new Map((await directory.list(tenantId)).map((record) => [record.sessionId, record]));
  expect([...shown.keys()].sort()).toEqual(['good', 'owner', 'paused', 'text']);
  expect(shown.get('paused')).toMatchObject({ status: 'failed', reason: 'record-unreadable' });
  expect(shown.get('text')).toMatchObject({ status: 'failed', reason: 'record-unreadable' });
  expect(shown.get('good')).toMatchObject({ status: 'queued' });
  const scanned: string[] = [];
  for await (const page of directory.scan()) scanned.push(...page.map(({ sessionId }) => sessionId));
  expect(scanned.sort()).toEqual(['good', 'owner', 'paused', 'text', 'theirs']);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'error', tenantId, sessionId: 'paused', fields: ['status', 'since'] }),
  );
  expect(lines.filter(({ sessionId }) => sessionId === 'paused')).toHaveLength(1);
});

test('a session whose owner record cannot be read can be queued again and removed', async () => {
  const { redis } = fixture;
  const directory = new SessionDirectory(redis);
  const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
  await directory.create(ref);
  await redis.hset(keys.owner(ref), { epoch: 'many', worker: 'wrk_a' });
  expect(await directory.requeue(ref, { reason: 'restart', notOwner: 'wrk_a' })).toBe(true);
  expect(await redis.hgetall(keys.owner(ref))).toEqual({});
  await redis.set(keys.owner(ref), 'x');
  expect(await directory.requeue(ref, { reason: 'restart' })).toBe(true);
  await redis.set(keys.owner(ref), 'x');
  expect(await directory.purge(ref)).toBe(true);
  expect(await redis.keys('wf:{tnt_a}*')).toEqual([]);
});

test.each(['not JSON', '{}', '{"id":"wrk_other"}', '[]', '{"id":"wrk_odd","capacity":0}'])(
  'the heartbeat %s hides no other worker',
  async (text) => {
    const { lines, logger } = recordingLogger();
    const registry = new WorkerRegistry(fixture.redis, { logger });
    for (const id of ['wrk_odd', 'wrk_good']) {
      await registry.acquireLease(id);
      await registry.beat(beatOf(id));
    }
    await fixture.redis.hset(keys.heartbeats, 'wrk_odd', text);
    expect((await registry.list()).map(({ id }) => id)).toEqual(['wrk_good']);
    expect(lines).toMatchObject([{ workerId: 'wrk_odd' }]);
    await registry.releaseLease('wrk_good');
    await fixture.redis.hset(keys.heartbeats, 'wrk_gone', text);
    await registry.list();
    expect(await fixture.redis.hkeys(keys.heartbeats)).toEqual(['wrk_odd']);
  },
);

test('an API key whose record cannot be read opens nothing and hides no other key', async () => {
  const { lines, logger } = recordingLogger();
  const apiKeys = new ApiKeys(fixture.redis, { logger });
  const odd = await apiKeys.create('tnt_a');
  const good = await apiKeys.create('tnt_a');
  const lookup = await fixture.redis.get(keys.apiKeyId(odd.id));
  await fixture.redis.hset(keys.apiKey(lookup ?? ''), 'createdAt', 'yesterday');
  expect((await apiKeys.list('tnt_a')).map(({ id }) => id)).toEqual([good.id]);
  expect(await apiKeys.authenticate(odd.key)).toBeUndefined();
  expect(await apiKeys.authenticate(good.key)).toMatchObject({ id: good.id });
  expect(lines).toMatchObject([{ keyId: odd.id, fields: ['createdAt'] }]);
});

test('an edge or an offer whose record cannot be read is as if there were none', async () => {
  const ref = { tenantId: 'tnt_a', sessionId: 'shop' };
  await fixture.redis.set(keys.edge('edge_a'), 'not JSON');
  expect(await new EdgeRegistry(fixture.redis).find('edge_a')).toBeUndefined();
  const offers = new LinkOffers(fixture.redis);
  await fixture.redis.hset(keys.qr(ref), { qr: '2@x', expiresAt: 'soon' });
  await fixture.redis.hset(keys.pairingCode(ref), { code: 'ABCD', phone: '1', expiresAt: '9e99' });
  expect(await offers.getQr(ref)).toBeUndefined();
  expect(await offers.getPairingCode(ref)).toBeUndefined();
});

const TENANT = 'tnt_a';
const shop = { tenantId: TENANT, sessionId: 'shop' };

async function put(key: string, value: string): Promise<void> {
  await fixture.redis.del(key);
  await fixture.redis.set(key, value);
}

test.each(['text', 'moment'])(
  'a session with a damaged %s record is listed while the order is made up',
  async (kind) => {
    const { redis } = fixture;
    const directory = new SessionDirectory(redis);
    const pages = new SessionPages(redis, directory);
    for (const sessionId of ['a', 'shop', 'z']) await directory.create({ tenantId: TENANT, sessionId });
    if (kind === 'text') await put(keys.session(shop), 'x');
    else await redis.hset(keys.session(shop), 'createdAt', 'yesterday');
    const listed = async () =>
      (await pages.page(TENANT, { limit: 10 })).sessions.map(({ sessionId }) => sessionId).sort();
    await redis.del(keys.sessionOrder(TENANT));
    expect(await listed()).toEqual(['a', 'shop', 'z']);
    await put(keys.sessionOrder(TENANT), 'x');
    await directory.create({ tenantId: TENANT, sessionId: 'new' });
    expect(await listed()).toEqual(['a', 'new', 'shop', 'z']);
  },
);

test('a session with an odd id does not end the pages', async () => {
  const { redis } = fixture;
  const directory = new SessionDirectory(redis);
  const pages = new SessionPages(redis, directory);
  for (const sessionId of ['a', 'z']) await directory.create({ tenantId: TENANT, sessionId });
  await redis.sadd(keys.sessions(TENANT), 'no session\nid');
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await pages.page(TENANT, { limit: 1, cursor });
    seen.push(...page.sessions.map(({ sessionId }) => sessionId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen.sort()).toEqual(['a', 'z']);
});

describe.each(['many', '', '-4', '1e400', undefined])(
  'a tenant with limits of %j has the defaults',
  (text) => {
    const defaults = { ...DEFAULT_TENANT_LIMITS, sessions: 1, mediaDownloads: 1 };

    async function damagedTable(): Promise<{ table: TenantLimitTable; lines: Record<string, unknown>[] }> {
      const { lines, logger } = recordingLogger();
      const key = keys.tenantLimits(TENANT);
      if (text === undefined) await put(key, 'x');
      else await fixture.redis.hset(key, Object.fromEntries(TENANT_LIMIT_NAMES.map((name) => [name, text])));
      return { table: new TenantLimitTable(fixture.redis, defaults, { logger }), lines };
    }

    test('in the table, which names them', async () => {
      const { table, lines } = await damagedTable();
      expect(await table.read(TENANT)).toEqual(defaults);
      expect(lines).toMatchObject([{ kind: 'tenant-limits', tenantId: TENANT }]);
      await table.change(TENANT, { sessions: 7 });
      expect(await table.read(TENANT)).toMatchObject({ sessions: 7 });
    });

    test('for sessions', async () => {
      await damagedTable();
      const directory = new SessionDirectory(fixture.redis);
      await directory.create(shop, { maxSessions: 1 });
      const more = directory.create({ tenantId: TENANT, sessionId: 'more' }, { maxSessions: 1 });
      await expect(more).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    });

    test('for rates, leases and records of clients', async () => {
      const { table } = await damagedTable();
      const rates = new TenantRates(fixture.redis, table);
      expect(await rates.take(TENANT, [{ limit: 'restUnits' }], { cost: 1 })).toMatchObject({
        isTaken: true,
        buckets: [{ limit: defaults.restUnits, remaining: defaults.restUnits - 1 }],
      });
      const { logger } = recordingLogger();
      const leases = new TenantLeases({ redis: fixture.redis, limits: table, holder: 'edge_a', logger });
      await leases.take(TENANT, 'mediaDownloads');
      await expect(leases.take(TENANT, 'mediaDownloads')).rejects.toMatchObject({
        code: 'TOO_MANY_DOWNLOADS',
      });
      await leases.close();
      const records = new ResumeRecords(fixture.redis, { lifeMs: 60_000, limits: defaults });
      const ref = { tenantId: TENANT, secret: 's' };
      await records.create(ref, 'key_a');
      expect(await records.find(ref)).toMatchObject({ keyId: 'key_a' });
    });
  },
);

test.each(['limits', 'rates', 'leases'] as const)(
  'a damaged record of a tenant’s %s does not block requests',
  async (what) => {
    const { redis } = fixture;
    const table = new TenantLimitTable(redis);
    const rates = new TenantRates(redis, table);
    const { logger } = recordingLogger();
    const leases = new TenantLeases({ redis, limits: table, holder: 'edge_a', logger });
    const take = async () => {
      await rates.require(TENANT, { limit: 'restUnits' }, { cost: 1 });
      (await leases.take(TENANT, 'replays'))();
    };
    const key = {
      limits: keys.tenantLimits(TENANT),
      rates: keys.tenantRate(TENANT, 'restUnits'),
      leases: keys.tenantLeases(TENANT, 'replays'),
    }[what];
    await put(key, 'x y');
    await take();
    await redis.del(key);
    await redis.rpush(key, 'x');
    await take();
    await leases.close();
  },
);

test.each(['resume-totals', 'resumes:key_a', 'resume-sizes:key_a', 'resume'])(
  'a client is remembered though %s is damaged',
  async (name) => {
    const { redis } = fixture;
    const { lines, logger } = recordingLogger();
    const records = new ResumeRecords(redis, { lifeMs: 60_000, logger });
    const ref = { tenantId: TENANT, secret: 's' };
    await records.create(ref, 'key_a');
    const [recordKey = ''] = await redis.keys(keys.resume(TENANT, '*'));
    const key = name === 'resume' ? recordKey : `${keys.ofTenant(TENANT)}${name}`;
    if ((await redis.type(key)) === 'hash' && name !== 'resume') {
      for (const field of await redis.hkeys(key)) await redis.hset(key, field, 'many');
      await records.create({ tenantId: TENANT, secret: 'other' }, 'key_a');
    }
    await put(key, 'x');
    if (name === 'resume') {
      expect(await records.find(ref)).toBeUndefined();
      expect(lines).toMatchObject([{ kind: 'resume' }]);
    }
    await records.create(ref, 'key_a');
    expect(await records.find(ref)).toMatchObject({ keyId: 'key_a' });
    expect(await countResumeRecords(redis, TENANT)).toEqual({
      records: expect.any(Number),
      bytes: expect.any(Number),
    });
  },
);

test('an API key of another type opens nothing and hides no other key', async () => {
  const { lines, logger } = recordingLogger();
  const apiKeys = new ApiKeys(fixture.redis, { logger });
  const [odd, unnamed, good] = [
    await apiKeys.create(TENANT),
    await apiKeys.create(TENANT),
    await apiKeys.create(TENANT),
  ];
  const lookup = await fixture.redis.get(keys.apiKeyId(odd.id));
  await put(keys.apiKey(lookup ?? ''), 'x');
  await fixture.redis.del(keys.apiKeyId(unnamed.id));
  await fixture.redis.rpush(keys.apiKeyId(unnamed.id), 'x');
  expect((await apiKeys.list(TENANT)).map(({ id }) => id)).toEqual([good.id]);
  expect(await apiKeys.authenticate(odd.key)).toBeUndefined();
  expect(lines.map(({ kind }) => kind).sort()).toEqual(['api-key', 'api-key-id']);
});

test.each(['of another type', 'of another key', 'gone'])(
  'an API key whose id is %s opens nothing, since it could not be revoked',
  async (kind) => {
    const apiKeys = new ApiKeys(fixture.redis);
    const { id, key } = await apiKeys.create(TENANT);
    expect(await apiKeys.authenticate(key)).toMatchObject({ id });
    await fixture.redis.del(keys.apiKeyId(id));
    if (kind === 'of another type') await fixture.redis.rpush(keys.apiKeyId(id), 'x');
    if (kind === 'of another key') await fixture.redis.set(keys.apiKeyId(id), 'x');
    expect(await apiKeys.authenticate(key)).toBeUndefined();
  },
);

test('workers are found though what the cluster notes of them was damaged', async () => {
  const registry = new WorkerRegistry(fixture.redis);
  await registry.acquireLease('wrk_a');
  for (const key of [keys.heartbeats, keys.pulse]) await put(key, 'x');
  await registry.beat(beatOf('wrk_a'));
  expect((await registry.list()).map(({ id }) => id)).toEqual(['wrk_a']);
  await put(keys.lifelines, 'x');
  expect(await new WorkerFailureDetector(fixture.redis).look(await registry.list())).toEqual([]);
});

test('a line of placements that is damaged holds no other one up', async () => {
  const lines = new PlacementRanks(fixture.redis);
  await put(keys.placementLine(TENANT, 'crash'), 'x');
  expect(await lines.join(TENANT, 'crash', ['shop'])).toEqual([1]);
});

test.each([
  ['that is behind the log', (epoch: string) => ({ epoch, seq: '1' })],
  ['with an epoch that no entry can have', () => ({ epoch: '99999999999999999999' })],
  ['with a number that no entry can have', () => ({ seq: '1e30' })],
])('a head %s is replaced by the next append', async (_what, damage) => {
  const { redis } = fixture;
  const fence = await ownedSession(redis, shop, 'wrk_a');
  const log = new EventLog(redis);
  const event = { event: 'call', body: '{"n":1}' } as const;
  await log.append(fence, [event, event, event]);
  const { epoch } = await log.position(TENANT);
  await redis.hset(keys.logHead(TENANT), damage(String(epoch)));
  await log.append(fence, [event, event]);
  const page = await log.read(TENANT, { after: { epoch, seq: 0 }, count: 10 });
  expect(page).toMatchObject({ isContinuous: true });
  expect(page.events).toHaveLength(5);
});

test.each(['log-head', 'log-bytes', 'resume-totals', 'sessions', 'leases:replays'])(
  'usage omits what %s counts if that key cannot be read',
  async (name) => {
    const { redis } = fixture;
    const { lines, logger } = recordingLogger();
    const limits = new TenantLimitTable(redis);
    const leases = new TenantLeases({ redis, limits, holder: 'edge_a', logger });
    const usage = new TenantUsage({ redis, limits, rates: new TenantRates(redis, limits), leases, logger });
    const used = async () =>
      Object.entries((await usage.read(TENANT, 'key_a')).resources).filter(
        ([, { used }]) => used !== undefined,
      );
    const before = await used();
    const key = `${keys.ofTenant(TENANT)}${name}`;
    await put(key, 'x');
    const withoutText = await used();
    expect(withoutText.length).toBeLessThan(before.length);
    expect(lines).not.toHaveLength(0);
    await redis.del(key);
    await redis.hset(keys.logHead(TENANT), { bytes: 'many', history: 'more' });
    expect((await used()).map(([limit]) => limit)).not.toContain('logBytes');
    await leases.close();
  },
);

test('a damaged index is replaced when sessions are entered into it', async () => {
  const { redis } = fixture;
  const { lines, logger } = recordingLogger();
  const index = new SessionIndex(redis, { logger });
  const directory = new SessionDirectory(redis, { logger });
  for (const key of [keys.owners, keys.tenantsOf('wrk_a'), keys.unownedTenants]) await put(key, 'x');
  expect([await index.owners(), await index.tenantsOf('wrk_a'), await index.unowned(10)]).toEqual([
    [],
    [],
    [],
  ]);
  expect(lines).toHaveLength(3);
  await directory.create(shop);
  expect(await index.unowned(10)).toEqual([shop]);
  await claimed(redis, shop, 'wrk_a');
  expect(await index.ownedBy('wrk_a', 10)).toEqual([shop]);
});

test('a worker whose inbox is damaged gets commands again', async () => {
  const { redis } = fixture;
  const { logger } = recordingLogger();
  await new WorkerRegistry(redis).acquireLease('wrk_a');
  await put(keys.inbox('wrk_a'), 'x');
  const client = new CommandClient({
    ...{ redis, subscriber: fixture.connect('subscriber'), clientId: 'edge_a', logger },
  });
  await client.start();
  const call = client.call('wrk_a', { kind: 'assign', ...shop }, { deadlineMs: 1 });
  await expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  expect(await redis.xlen(keys.inbox('wrk_a'))).toBe(1);
  await client.stop();
});

test('a head of another type is replaced by the next append, and hides no event before', async () => {
  const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
  const log = new EventLog(fixture.redis);
  const event = { event: 'call', body: '{"n":1}' } as const;
  await log.append(fence, [event, event]);
  const { epoch } = await log.position(TENANT);
  const events = async () => (await log.read(TENANT, { after: { epoch, seq: 0 }, count: 10 })).events.length;
  for (const text of ['many', undefined]) {
    if (text === undefined) await put(keys.logHead(TENANT), 'x');
    else await fixture.redis.hset(keys.logHead(TENANT), { epoch: text, seq: text });
    const before = await events();
    await log.append(fence, [event]);
    expect(await events()).toBe(before + 1);
  }
  expect(await events()).toBe(4);
});
