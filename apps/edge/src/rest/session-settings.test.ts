import { DEFAULT_SETTINGS, WafleetError } from '@wafleet/contract';
import { Cipher, SessionSettingsStore, verifyEncryptionKey } from '@wafleet/store';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';

const fixture = useCluster();
const cipher = Cipher.fromHexKeys('5a'.repeat(32));
const PROXY = 'http://ann:top-secret@proxy.example:3128';
const SHOWN = { kind: 'http', host: 'proxy.example', port: 3128, hasCredentials: true };

const asTenant = (request: string, body?: unknown) => fixture.send(request, body);
const change = (body: unknown) => asTenant('PATCH /api/sessions/shop-1', body);
const ref = () => ({ tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' });
const ofWorker = () => new SessionSettingsStore({ redis: fixture.cluster.connection, cipher }).read(ref());

beforeEach(() => verifyEncryptionKey(fixture.cluster.connection, cipher));

describe('POST /api/sessions', () => {
  it('sets what a session begins with', async () => {
    const body = {
      id: 'shop-1',
      settings: { online: true, device: { name: 'Till 3' } },
      metadata: { shop: '17' },
      proxy: PROXY,
    };
    expect(await asTenant('POST /api/sessions', body)).toMatchObject({ status: 201 });
    const { status, body: shown } = await asTenant('GET /api/sessions/shop-1');
    expect(status).toBe(200);
    expect(shown).toMatchObject({
      settings: { ...DEFAULT_SETTINGS, online: true, device: { name: 'Till 3', platform: 'chrome' } },
      metadata: { shop: '17' },
      proxy: SHOWN,
    });
    expect(JSON.stringify(shown)).not.toContain('top-secret');
    expect(await ofWorker()).toMatchObject({ proxy: PROXY, settings: { online: true } });
  });

  it('shows the chats that a session ignores by the ids of WhatsApp', async () => {
    const ignore = { chats: ['15550001001@c.us', '120363000000000000@newsletter'] };
    await asTenant('POST /api/sessions', { id: 'shop-1', settings: { ignore } });
    const shown = { chats: ['15550001001@s.whatsapp.net', '120363000000000000@newsletter'] };
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject({
      ...{ status: 200, body: { settings: { ignore: shown } } },
    });
    expect(await change({ settings: { ignore: { groups: true } } })).toMatchObject({
      ...{ status: 200, body: { settings: { ignore: { ...shown, groups: true } } } },
    });
  });

  it('has no session without its proxy', async () => {
    await fixture.cluster.connection.del('wf:worker-box-key');
    expect(await asTenant('POST /api/sessions', { id: 'shop-1', proxy: PROXY })).toMatchObject(
      errorAnswer(503, 'UNAVAILABLE'),
    );
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });

  it.each([
    [{ settings: { color: 'red' } }],
    [{ settings: { device: { name: '' } } }],
    [{ metadata: Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`k${n}`, 'x'])) }],
    [{ proxy: 'http://ann:top-secret@proxy.example:3128/path' }],
  ])('refuses %j without repeating it', async (body) => {
    const answer = await asTenant('POST /api/sessions', body);
    expect(answer).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED'));
    expect(JSON.stringify(answer)).not.toContain('top-secret');
  });
});

describe('lists', () => {
  it('are deleted when they are switched off, also of a session that nothing runs', async () => {
    await asTenant('POST /api/sessions', { id: 'shop-1', settings: { lists: true } });
    const { connection } = fixture.cluster;
    const name = `wf:{${ref().tenantId}}:chats:shop-1`;
    await connection.hset(name, '1@lid', 'sealed');
    expect(await change({ settings: { online: true } })).toMatchObject({ status: 200 });
    expect(await connection.exists(name)).toBe(1);
    expect(await change({ settings: { lists: false } })).toMatchObject({ status: 200 });
    expect(await connection.exists(name)).toBe(0);
  });
});

describe('a worker of an earlier release, which would connect without the proxy,', () => {
  const refused = errorAnswer(501, 'NOT_SUPPORTED', { retryAfterMs: expect.any(Number) });

  it('has proxies refused while it runs, and nothing else', async () => {
    await fixture.cluster.startWorker();
    const old = await fixture.cluster.startWorker(undefined, { features: [] });
    onTestFinished(() => old.die());
    expect(await asTenant('POST /api/sessions', { id: 'shop-1', proxy: PROXY })).toMatchObject(refused);
    expect(await asTenant('POST /api/sessions', { id: 'shop-1' })).toMatchObject({ status: 201 });
    expect(await change({ proxy: PROXY })).toMatchObject(refused);
    expect(await change({ settings: { online: true }, proxy: null })).toMatchObject({ status: 200 });
    expect(await ofWorker()).not.toHaveProperty('proxy');
    await old.die();
    expect(await change({ proxy: PROXY })).toMatchObject({ status: 200 });
  });

  it('has them refused if its heartbeat cannot be read', async () => {
    const old = await fixture.cluster.startWorker(undefined, { heartbeatMs: 60_000 });
    onTestFinished(() => old.die());
    await fixture.cluster.connection.hset('wf:{workers}:heartbeats', old.id, '{"another": "shape"}');
    expect(await asTenant('POST /api/sessions', { id: 'shop-1', proxy: PROXY })).toMatchObject(refused);
  });
});

describe('PATCH /api/sessions/:id', () => {
  beforeEach(() => fixture.client.call('create-session', { body: { id: 'shop-1', name: 'Till' } }));

  it('shows all defaults before anything is set', async () => {
    const { body } = await asTenant('GET /api/sessions/shop-1');
    expect(body).toMatchObject({ settings: DEFAULT_SETTINGS, metadata: {}, name: 'Till' });
    expect(body).not.toHaveProperty('proxy');
  });

  it('changes what it names, and says when that takes effect', async () => {
    const answer = await change({
      name: 'Till 3',
      metadata: { shop: '17', crm: 'a' },
      settings: { device: { name: 'Till 3' }, history: 'full', calls: { reject: 'all' }, online: false },
      proxy: PROXY,
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        id: 'shop-1',
        name: 'Till 3',
        metadata: { shop: '17', crm: 'a' },
        settings: {
          ...DEFAULT_SETTINGS,
          device: { name: 'Till 3', platform: 'chrome' },
          history: 'full',
          calls: { reject: 'all', message: '' },
        },
        proxy: SHOWN,
      },
    });
    expect(answer.body).toHaveProperty('takesEffect', {
      name: 'now',
      metadata: 'now',
      device: 'next-link',
      history: 'next-link',
      calls: 'now',
      proxy: 'reconnect',
    });
    const next = await change({ settings: { calls: { message: 'Please write.' } }, metadata: { crm: null } });
    expect(next.body).toMatchObject({
      metadata: { shop: '17' },
      settings: { calls: { reject: 'all', message: 'Please write.' }, history: 'full' },
      proxy: SHOWN,
      takesEffect: { calls: 'now', metadata: 'now' },
    });
    expect(await ofWorker()).toMatchObject({ proxy: PROXY, version: 2 });
  });

  it('restores defaults', async () => {
    await change({ settings: { online: true, history: 'none' }, metadata: { a: 'b' }, proxy: PROXY });
    await change({ settings: { online: null } });
    const { body } = await change({ settings: null, metadata: null, proxy: null, name: null });
    expect(body).toMatchObject({ settings: DEFAULT_SETTINGS, metadata: {} });
    expect(body).not.toHaveProperty('proxy');
    expect(body).not.toHaveProperty('name');
    expect(await ofWorker()).toEqual({ settings: DEFAULT_SETTINGS, version: 3 });
  });

  it('keeps what a later release has set', async () => {
    const later = { settings: { archive: { all: true }, device: { color: 'red' } }, labels: ['x'] };
    const key = `wf:{${fixture.tenant.tenantId}}:settings:shop-1`;
    await fixture.cluster.connection.hset(key, { plain: JSON.stringify(later), version: 4 });
    await change({ settings: { device: { name: 'Till 3' } }, metadata: { a: 'b' } });
    const stored = JSON.parse((await fixture.cluster.connection.hget(key, 'plain')) ?? '');
    expect(stored).toEqual({
      settings: { archive: { all: true }, device: { color: 'red', name: 'Till 3' } },
      labels: ['x'],
      metadata: { a: 'b' },
    });
  });

  it('has the owner read them before it answers, unless only the name or metadata change', async () => {
    let known: unknown;
    const worker = await fixture.cluster.startWorker(async () => {
      known = await ofWorker();
      return {};
    });
    await worker.claim(ref());
    await change({ name: 'Till 4', metadata: { a: 'b' } });
    await change({ settings: { online: false } });
    expect(worker.received).toEqual([]);
    expect((await change({ settings: { online: true } })).body).toMatchObject({
      takesEffect: { online: 'now' },
    });
    expect(worker.received).toMatchObject([{ kind: 'settings-changed', sessionId: 'shop-1' }]);
    expect(known).toMatchObject({ settings: { online: true } });
  });

  it('says that it holds from the next connection on if the owner may not know', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new WafleetError('UNAVAILABLE', 'Not now.');
    });
    await worker.claim(ref());
    const { body } = await change({ name: 'Till 5', settings: { online: true, device: { name: 'x' } } });
    expect(body).toMatchObject({
      settings: { online: true },
      takesEffect: { name: 'now', online: 'reconnect', device: 'next-link' },
    });
  });

  it('applies changes that come at the same time one after the other', async () => {
    const changes = [
      { settings: { online: true } },
      { settings: { autoRead: true } },
      { metadata: { a: 'b' } },
      { name: 'Till 6' },
    ];
    const answers = await Promise.all(changes.map(change));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await asTenant('GET /api/sessions/shop-1')).body).toMatchObject({
      name: 'Till 6',
      metadata: { a: 'b' },
      settings: { online: true, autoRead: true },
    });
  });

  it('bounds metadata as a whole', async () => {
    const keys = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${from + n}`, 'x']));
    expect(await change({ metadata: keys(0, 20) })).toMatchObject({ status: 200 });
    expect(await change({ metadata: keys(20, 1) })).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path: 'body.metadata' }] } } },
    });
    expect(await change({ metadata: { k0: null, k20: 'x' } })).toMatchObject({ status: 200 });
  });

  it.each([
    [{ settings: { online: 'yes' } }, 'body.settings.online', 'expected boolean'],
    [{ settings: { ignore: { chats: ['x'] } } }, 'body.settings.ignore.chats.0', 'the id of a chat'],
    [{ worker: 'wrk_1' }, 'body', 'worker'],
    [{ proxy: 'nonsense' }, 'body.proxy', 'It must look like http://user:password@host:port.'],
    [{ proxy: 'http://proxy.example:25' }, 'body.proxy', 'not that of mail'],
    [{ proxy: '' }, 'body.proxy', 'Too small'],
  ])('refuses %j, and its message says why', async (body, path, reason) => {
    expect(await change(body)).toMatchObject({
      status: 400,
      body: {
        error: {
          code: 'VALIDATION_FAILED',
          message: expect.stringContaining(reason),
          details: { issues: [{ path }] },
        },
      },
    });
  });

  it('knows no session of another tenant', async () => {
    await fixture.nextTenant();
    expect(await change({ settings: { online: true } })).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    expect(await fixture.cluster.connection.exists(`wf:{${fixture.tenant.tenantId}}:settings:shop-1`)).toBe(
      0,
    );
  });

  it('is not in lists', async () => {
    await change({ settings: { online: true }, metadata: { a: 'b' } });
    const { body } = await asTenant('GET /api/sessions');
    const shown = { id: 'shop-1', name: 'Till', status: 'queued', since: expect.any(String) };
    expect(body).toEqual({ items: [shown] });
  });
});
