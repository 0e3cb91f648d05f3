import { createLogger } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { ApiKeys } from './api-keys.js';
import { EdgeRegistry } from './edge-registry.js';
import { keys } from './keyspace.js';
import { LinkOffers } from './link-offers.js';
import { SessionDirectory } from './sessions.js';
import { TenantDirectory } from './tenants.js';
import { useRedis } from './testing/redis-fixture.js';
import { UnreadableRecords } from './unreadable-records.js';
import { WorkerRegistry } from './worker-registry.js';

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
