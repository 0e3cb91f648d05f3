import type { AuditEntry } from '@wafleet/contract';
import { expect, test } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { type AuditedAct, AuditLog } from './audit-log.js';

const fixture = useRedis();
const act: AuditedAct = {
  actor: 'admin',
  action: 'create-key',
  target: 'key_1',
  tenantId: 'tnt_a',
  requestId: 'r-1',
  address: '203.0.113.7',
};

const targetsOf = ({ items }: { items: readonly AuditEntry[] }) => items.map(({ target }) => target);

test('an act is there before it ends, and once afterwards, with its outcome', async () => {
  const log = new AuditLog(fixture.redis);
  const id = await log.begin('administrator', act);
  const begun = await log.page('administrator', { limit: 10 });
  expect(begun.items).toEqual([{ ...act, id, at: expect.any(String), outcome: 'unknown' }]);
  await log.end('administrator', id, { ...act, outcome: 'refused', error: 'TENANT_NOT_FOUND' });
  // The command may be sent twice, if its answer was lost.
  await log.end('administrator', id, { ...act, outcome: 'refused', error: 'TENANT_NOT_FOUND' });
  const { items, nextCursor } = await log.page('administrator', { limit: 10 });
  expect(items).toMatchObject([{ ...act, outcome: 'refused', error: 'TENANT_NOT_FOUND' }]);
  expect(Math.abs(Date.parse(items[0]?.at ?? '') - Date.now())).toBeLessThan(60_000);
  expect(nextCursor).toBeUndefined();
});

test('acts are listed newest first, page by page, each once, and by time and filter', async () => {
  const log = new AuditLog(fixture.redis);
  for (let count = 0; count < 7; count += 1) {
    const entry = { ...act, target: `key_${count}`, outcome: 'done' } as const;
    await fixture.redis.xadd(keys.audit, `${1_000 + count}-${count % 2}`, 'entry', JSON.stringify(entry));
  }
  const seen: (string | undefined)[] = [];
  let cursor: string | undefined;
  do {
    const page = await log.page('administrator', { limit: 3, cursor });
    seen.push(...targetsOf(page));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual(['key_6', 'key_5', 'key_4', 'key_3', 'key_2', 'key_1', 'key_0']);
  expect(targetsOf(await log.page('administrator', { limit: 9, since: 1_002, until: 1_003 }))).toEqual([
    'key_3',
    'key_2',
  ]);
  const matches = ({ target }: AuditEntry) => target === 'key_1';
  expect(targetsOf(await log.page('administrator', { limit: 9, matches }))).toEqual(['key_1']);
  for (const wrong of [
    'x',
    Buffer.from('1 x').toString('base64url'),
    Buffer.from('1 1)').toString('base64url'),
  ]) {
    await expect(log.page('administrator', { limit: 1, cursor: wrong })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  }
});

test('a page with a filter reads a bounded number of entries, and the next one goes on', async () => {
  const log = new AuditLog(fixture.redis);
  const writes = fixture.redis.pipeline();
  for (let count = 0; count < 4_500; count += 1) {
    const entry = { ...act, target: `key_${count}`, outcome: 'done' };
    writes.xadd(keys.audit, `${1 + count}-0`, 'entry', JSON.stringify(entry));
  }
  await writes.exec();
  const matches = ({ target }: AuditEntry) => target === 'key_0';
  const pages: (string | undefined)[][] = [];
  let cursor: string | undefined;
  do {
    const page = await log.page('administrator', { limit: 5, cursor, matches });
    pages.push(targetsOf(page));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(pages).toEqual([[], [], ['key_0']]);
});

test('an entry that cannot be read hides no other', async () => {
  const log = new AuditLog(fixture.redis);
  await log.begin('administrator', act);
  await fixture.redis.xadd(keys.audit, '*', 'entry', 'not JSON');
  await fixture.redis.xadd(keys.audit, '*', 'entry', '{"outcome":"of a later release"}');
  await fixture.redis.xadd(keys.audit, '*', 'other', '{}');
  expect((await log.page('administrator', { limit: 9 })).items).toHaveLength(1);
});

test('a tenant’s log is its own, bounded and ends after a while; it pushes nothing out of another one', async () => {
  const log = new AuditLog(fixture.redis);
  await log.begin('administrator', act);
  const of = { tenantId: 'tnt_a' };
  for (let count = 0; count < 2_600; count += 100) {
    await Promise.all(Array.from({ length: 100 }, () => log.begin(of, { ...act, actor: 'key_1' })));
  }
  const kept = await fixture.redis.xlen(keys.tenantAudit('tnt_a'));
  expect(kept).toBeGreaterThanOrEqual(2_000);
  expect(kept).toBeLessThan(2_200);
  expect(await fixture.redis.pttl(keys.tenantAudit('tnt_a'))).toBeGreaterThan(0);
  expect((await log.page('administrator', { limit: 9 })).items).toHaveLength(1);
});
