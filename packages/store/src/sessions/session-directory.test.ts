import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { initAuthCreds } from '@whiskeysockets/baileys';
import { describe, expect, test } from 'vitest';
import { AuthStateStore } from '../auth/auth-state.js';
import { Cipher } from '../auth/cipher.js';
import { verifyEncryptionKey } from '../auth/encryption-check.js';
import { EventLog } from '../events/event-log.js';
import { IdempotencyRecords } from '../idempotency/idempotency-records.js';
import { JobWakeUps } from '../jobs/job-wake-ups.js';
import { MessageJobs } from '../jobs/message-jobs.js';
import { AccountLists } from '../lists/account-lists.js';
import { MessageSecrets } from '../messages/message-secrets.js';
import { digestOfMessage } from '../messages/processed-messages.js';
import { type ReceivedFile, ReceivedMedia } from '../messages/received-media.js';

import { RecentMessages } from '../messages/recent-messages.js';
import { SendPauses } from '../pacing/send-pauses.js';
import { SessionPacing } from '../pacing/session-pacing.js';
import { keys } from '../redis/keyspace.js';
import { FencedError } from '../redis/session-ref.js';
import { SessionSettingsRecords } from '../settings/session-settings-records.js';
import { TenantDirectory } from '../tenants/tenant-directory.js';
import { TenantLimitTable } from '../tenants/tenant-limits.js';
import { claimed, ownedSession, useRedis } from '../testing/redis-fixture.js';
import { UploadRecords } from '../uploads/upload-records.js';
import { CallReplies } from './call-replies.js';
import { LinkOffers } from './link-offers.js';
import { Ownership } from './ownership.js';
import { PasskeyLinks } from './passkey-links.js';
import { SessionDirectory } from './session-directory.js';

const fixture = useRedis();
const shop = { tenantId: 'tnt_a', sessionId: 'shop' };
const directoryOf = () => new SessionDirectory(fixture.redis);
const receivedFile: ReceivedFile = {
  key: { id: 'id', remoteJid: '1@s.whatsapp.net', fromMe: false },
  file: { kind: 'image', mimetype: 'image/png', directPath: '/x', mediaKey: 'eA==' },
};

describe('a session', () => {
  test('is created once, queued and wanted open', async () => {
    const directory = directoryOf();
    const record = await directory.create(shop, { name: 'The shop' });
    expect(record).toMatchObject({ ...shop, name: 'The shop', desired: 'open', status: 'queued' });
    expect(await directory.get(shop)).toEqual(record);
    await expect(directory.create(shop)).rejects.toMatchObject({ code: 'SESSION_EXISTS' });
    expect(await directory.get(shop)).toEqual(record);
  });

  test('that does not exist is undefined for get and an error for require', async () => {
    expect(await directoryOf().get(shop)).toBeUndefined();
    await expect(directoryOf().require(shop)).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    await expect(directoryOf().setDesired(shop, 'closed')).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await directoryOf().markQueued(shop)).toBe(false);
    expect(await fixture.redis.keys('wf:{tnt_a}*')).toEqual([]);
  });

  test('shows its owner and the status that the owner reports', async () => {
    const directory = directoryOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await directory.setStatus(fence, { status: 'open', phone: '15551234567' });
    expect(await directory.get(shop)).toMatchObject({
      status: 'open',
      phone: '15551234567',
      worker: 'wrk_a',
    });
    await directory.setStatus(fence, { status: 'reconnecting', reason: 'connection lost' });
    expect(await directory.get(shop)).toMatchObject({ reason: 'connection lost', phone: '15551234567' });
    await directory.setStatus(fence, { status: 'logged_out', phone: null });
    const record = await directory.require(shop);
    expect(record).not.toHaveProperty('reason');
    expect(record).not.toHaveProperty('phone');
  });

  test('keeps how far a link has come until its owner removes that, and not what it cannot read', async () => {
    const directory = directoryOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const link = {
      step: 'qr-shown',
      next: 'Scan it.',
      expiresAt: '2026-11-22T05:56:41.479Z',
      problem: { code: 'expired', message: 'too late' },
    } as const;
    await directory.setStatus(fence, { status: 'awaiting_link', link });
    await directory.setStatus(fence, { status: 'connecting' });
    expect((await directory.require(shop)).link).toEqual(link);
    await directory.setStatus(fence, { status: 'open', link: null });
    expect(await directory.require(shop)).not.toHaveProperty('link');
    for (const unreadable of ['{', '{"step":"a later one"}']) {
      await fixture.redis.hset(keys.session(shop), 'link', unreadable);
      const record = await directory.require(shop);
      expect(record).not.toHaveProperty('link');
      expect(record.status).toBe('open');
    }
  });

  test('has its status since the status changed, not since the reason did', async () => {
    const directory = directoryOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await fixture.redis.hset(keys.session(shop), 'since', 1000);
    await directory.setStatus(fence, { status: 'queued', reason: 'why' });
    expect(await directory.get(shop)).toMatchObject({ since: 1000, reason: 'why' });
    await directory.setStatus(fence, { status: 'connecting' });
    expect((await directory.require(shop)).since).toBeGreaterThan(1000);
  });

  test('is marked queued unless a worker that may live owns it', async () => {
    const directory = directoryOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await directory.setStatus(fence, { status: 'open' });
    expect(await directory.markQueued(shop, 'worker lost', 'wrk_b')).toBe(false);
    expect((await directory.require(shop)).status).toBe('open');
    expect(await directory.markQueued(shop, 'worker lost', 'wrk_a')).toBe(true);
    expect(await directory.get(shop)).toMatchObject({ status: 'queued', reason: 'worker lost' });
    await new Ownership(fixture.redis).release(fence);
    expect(await directory.markQueued(shop)).toBe(true);
    expect(await directory.require(shop)).not.toHaveProperty('reason');
  });

  test('keeps its desired state', async () => {
    const directory = directoryOf();
    await directory.create(shop);
    await directory.setDesired(shop, 'closed');
    expect((await directory.require(shop)).desired).toBe('closed');
  });
});

test('a tenant’s sessions are listed oldest first, and no other’s', async () => {
  const directory = directoryOf();
  for (const sessionId of ['c', 'a', 'b']) {
    await directory.create({ tenantId: 'tnt_a', sessionId });
    await fixture.redis.hset(
      keys.session({ tenantId: 'tnt_a', sessionId }),
      'createdAt',
      sessionId === 'c' ? 1 : 2,
    );
  }
  await directory.create({ tenantId: 'tnt_b', sessionId: 'd' });
  expect((await directory.list('tnt_a')).map(({ sessionId }) => sessionId)).toEqual(['c', 'a', 'b']);
  expect(await directory.exist('tnt_a', ['a', 'd', 'x', 'b'])).toEqual(new Set(['a', 'b']));
  expect(await directory.exist('tnt_a', [])).toEqual(new Set());
});

describe('a purge', () => {
  test('leaves nothing but the epoch from which the next session goes on', async () => {
    const directory = directoryOf();
    const cipher = Cipher.fromHexKeys('11'.repeat(32));
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    const store = new AuthStateStore({ redis: fixture.redis, cipher, fence });
    const state = await store.load(initAuthCreds);
    await store.saveCreds();
    await state.keys.set({ session: { peer: Buffer.from('x') } });
    await new LinkOffers(fixture.redis).putQr(fence, { qr: '2@x', expiresAt: Date.now() + 60_000 });
    await new PasskeyLinks(fixture.redis).create(shop, Date.now() + 60_000);
    await new RecentMessages({ redis: fixture.redis, cipher }).put(fence, 'id', Buffer.from('x'));
    await new ReceivedMedia({ redis: fixture.redis, cipher }).put(fence, [receivedFile]);
    const secrets = [
      new MessageSecrets({ redis: fixture.redis, cipher }).ofSession(fence).seal('id', Buffer.from('x')),
    ];
    await verifyEncryptionKey(fixture.redis, cipher);
    const upload = { uploadId: 'upl_1', type: 'image' as const, mimetype: 'image/jpeg', bytes: 1 };
    const uploaded = { directPath: '/v/a', mediaKey: 'YQ==', sha256: 'YQ==', encryptedSha256: 'YQ==' };
    await new UploadRecords(fixture.redis).put(shop, upload, {
      ...{ ...uploaded, length: 1, mimetype: 'image/jpeg', keyMadeAt: 1 },
    });
    await new SessionSettingsRecords(fixture.redis).replace(shop, 0, {
      plain: { settings: { online: true } },
    });
    await new CallReplies(fixture.redis).note(fence, '1@lid');
    const policy = { sendsPerMinute: 1, newChatsPerDay: 1, warmUp: [], linkedAt: undefined };
    const pacing = new SessionPacing(fixture.redis);
    await pacing.take(fence, { messageId: 'id', person: ['1@lid'] }, policy);
    await pacing.noteChats(fence, ['1@lid']);
    await new SendPauses(fixture.redis).noteRefusal(fence, { threshold: 1 });
    const finishedDigests = [digestOfMessage(['chat', 'id'])];
    const lists = new AccountLists({ redis: fixture.redis, cipher }).ofSession(fence);
    const entries = [lists.sealChat('1@lid', {}, 1), lists.sealContact('1@lid', {})];
    await new EventLog(fixture.redis).append(fence, [], { secrets, finishedDigests, entries });
    const records = new IdempotencyRecords(fixture.redis, new TenantLimitTable(fixture.redis));
    for (let count = 1; count <= 300; count += 1) {
      await records.claim({ ...shop, digest: `d${count}` }, 'f', 60_000);
    }
    const wakeUps = new JobWakeUps(fixture.redis);
    const jobs = new MessageJobs(fixture.redis, { limits: DEFAULT_TENANT_LIMITS, wakeUps });
    for (const jobId of ['job_1', 'job_2']) {
      await jobs.create(
        { tenantId: 'tnt_a', jobId },
        { sessionId: 'shop', messages: [{ to: '1', text: '{}' }] },
      );
    }
    await jobs.change({ tenantId: 'tnt_a', jobId: 'job_2' }, 'cancel');

    expect(await directory.purge(shop)).toBe(true);
    expect(await fixture.redis.exists(keys.jobsDue)).toBe(0);
    expect(await fixture.redis.keys('wf:{tnt_a}*')).toEqual([keys.purgedEpoch('tnt_a')]);

    expect(await directory.purge(shop)).toBe(false);
    await expect(new Ownership(fixture.redis).claim(shop, { worker: 'wrk_a' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    await directory.create(shop);
    expect((await claimed(fixture.redis, shop, 'wrk_a')).epoch).toBe(2);
  });

  test('of any number of sessions of a tenant leaves one key', async () => {
    const directory = directoryOf();
    for (let round = 0; round < 200; round += 1) {
      const ref = { tenantId: 'tnt_a', sessionId: `shop-${round}` };
      await ownedSession(fixture.redis, ref, 'wrk_a');
      await directory.purge(ref);
    }
    expect(await fixture.redis.keys('wf:{tnt_a}*')).toEqual([keys.purgedEpoch('tnt_a')]);
  });

  test('fences a writer of the purged session off from a new one of the same id, even after other purges', async () => {
    const directory = directoryOf();
    const other = { tenantId: 'tnt_a', sessionId: 'other' };
    const stale = await ownedSession(fixture.redis, shop, 'wrk_a');
    await claimed(fixture.redis, shop, 'wrk_a');
    const late = await claimed(fixture.redis, shop, 'wrk_a');
    await directory.purge(shop);
    await ownedSession(fixture.redis, other, 'wrk_a');
    await directory.purge(other);
    const rewritten = directory.setStatus(late, { status: 'open' });
    await expect(rewritten).rejects.toBeInstanceOf(FencedError);
    const next = await ownedSession(fixture.redis, shop, 'wrk_a');
    expect(next.epoch).toBeGreaterThan(late.epoch);
    for (const fence of [stale, late]) {
      await expect(directory.setStatus(fence, { status: 'open' })).rejects.toBeInstanceOf(FencedError);
    }
  });

  test('keeps for a while whether the phone knows, and a new session of the same id does not have it', async () => {
    const directory = directoryOf();
    await ownedSession(fixture.redis, shop, 'wrk_a');
    await directory.purge(shop, { isUnlinked: false });
    await directory.purge(shop);
    expect(await directory.wasUnlinked(shop)).toBe(false);
    expect(await fixture.redis.pttl(keys.owner(shop))).toBeGreaterThan(0);
    const next = await ownedSession(fixture.redis, shop, 'wrk_a');
    expect(next.epoch).toBe(2);
    expect(await directory.wasUnlinked(shop)).toBeUndefined();
    expect(await fixture.redis.pttl(keys.owner(shop))).toBe(-1);
  });

  test('and a claim succeed even if the highest epoch of the purged sessions cannot be read', async () => {
    const directory = directoryOf();
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    await fixture.redis.set(keys.purgedEpoch('tnt_a'), 'not a number');
    expect(await directory.purge(shop)).toBe(true);
    expect((await ownedSession(fixture.redis, shop, 'wrk_a')).epoch).toBeGreaterThan(fence.epoch);
  });

  test('leaves no half of a session if an index of its tenant cannot be read', async () => {
    const directory = directoryOf();
    await ownedSession(fixture.redis, shop, 'wrk_a');
    await fixture.redis.set(keys.unowned('tnt_a'), 'not a set');
    await fixture.redis.set(keys.sessionOrder('tnt_a'), 'not a set');
    expect(await directory.purge(shop)).toBe(true);
    await fixture.redis.del(keys.sessionOrder('tnt_a'));
    const fence = await ownedSession(fixture.redis, shop, 'wrk_a');
    expect(await new Ownership(fixture.redis).release(fence)).toBe(true);
    expect((await directory.require(shop)).worker).toBeUndefined();
  });

  test('of a session that no worker ever claimed leaves nothing at all', async () => {
    await directoryOf().create(shop);
    expect(await directoryOf().purge(shop)).toBe(true);
    expect(await fixture.redis.keys('wf:{tnt_a}*')).toEqual([]);
  });
});

test('a scan yields every session of every tenant once, in pages', async () => {
  const tenants = new TenantDirectory(fixture.redis);
  const directory = directoryOf();
  const expected = new Set<string>();
  await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const { id: tenantId } = await tenants.create(`tenant ${index}`);
      // Most have few sessions or none, one has more than a page.
      const count = index === 7 ? 700 : index % 4;
      for (let n = 0; n < count; n++) {
        await directory.create({ tenantId, sessionId: `s${n}` });
        expected.add(`${tenantId}/s${n}`);
      }
    }),
  );
  const found: string[] = [];
  for await (const page of directory.scan()) {
    expect(page.length).toBeLessThanOrEqual(200);
    found.push(...page.map(({ tenantId, sessionId }) => `${tenantId}/${sessionId}`));
  }
  expect(found).toHaveLength(expected.size);
  expect(new Set(found)).toEqual(expected);
});
