import { createdSessionSchema, LINK_STEPS, WafleetError } from '@wafleet/contract';
import { noteArrivals } from '@wafleet/store';
import { listSessions } from '@wafleet/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';

const fixture = useCluster();

const asTenant = (request: string, body?: unknown) => fixture.send(request, body);
const getSession = (id: string) => fixture.client.call('get-session', { params: { id } });

describe('POST /api/sessions', () => {
  it('makes a session, queued', async () => {
    const made = await asTenant('POST /api/sessions', { id: 'shop-1', name: 'Till' });
    expect(made).toMatchObject({ status: 201, body: { id: 'shop-1', status: 'queued' } });
    expect(made.headers.get('location')).toBe('/api/sessions/shop-1');
  });

  it.each([undefined, {}, { name: 'Till' }])('chooses an id when %j has none', async (body) => {
    const { status, body: made } = await asTenant('POST /api/sessions', body);
    expect(status).toBe(201);
    expect(createdSessionSchema.parse(made).id).toMatch(/^ses_[0-9a-f]{16}$/);
  });

  it('takes an empty body that claims to be JSON', async () => {
    const response = await fetch(`${fixture.edge.url}/api/sessions`, {
      method: 'POST',
      headers: { 'x-api-key': fixture.tenant.key, 'content-type': 'application/json' },
    });
    expect(response.status).toBe(201);
  });

  it('makes no second session of the same id, but the same id for another tenant', async () => {
    await fixture.client.call('create-session', { body: { id: 'twin' } });
    expect(await asTenant('POST /api/sessions', { id: 'twin' })).toMatchObject(
      errorAnswer(409, 'SESSION_EXISTS'),
    );
    await fixture.nextTenant();
    expect(await asTenant('POST /api/sessions', { id: 'twin' })).toMatchObject({ status: 201 });
  });

  it.each([
    [{ id: '' }, 'body.id'],
    [{ id: 'a b' }, 'body.id'],
    [{ id: '*' }, 'body.id'],
    [{ id: '{x}' }, 'body.id'],
    [{ id: 'x'.repeat(65) }, 'body.id'],
    [{ id: 7 }, 'body.id'],
    [{ name: 'x'.repeat(101) }, 'body.name'],
    [{ tenantId: 'tnt_other' }, 'body'],
  ])('refuses %j', async (body, path) => {
    expect(await asTenant('POST /api/sessions', body)).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path }] } } },
    });
  });
});

describe('POST /api/sessions/:id/restart', () => {
  it.each(['closed', 'logged_out', 'failed'] as const)('queues a session that is %s', async (status) => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status, reason: 'some reason' });
    await worker.release(fence);

    const answer = await asTenant('POST /api/sessions/shop-1/restart');
    expect(answer).toMatchObject({ status: 202, body: { id: 'shop-1', status: 'queued' } });
  });

  it('leaves a session alone that does not rest', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'open' });

    const answer = await asTenant('POST /api/sessions/shop-1/restart');
    expect(answer).toMatchObject({ status: 202, body: { status: 'open' } });
  });

  it.each(['closed', 'logged_out', 'failed'] as const)(
    'queues a session that is %s and whose worker died before it released it',
    async (status) => {
      const worker = await fixture.cluster.startWorker();
      const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
      await worker.sessions.setStatus(fence, { status });
      await worker.die();

      const answer = await asTenant('POST /api/sessions/shop-1/restart');
      expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
      expect(await fixture.cluster.sessions.get(fence)).not.toHaveProperty('worker');
    },
  );

  it('has the owner release a session that failed a moment ago', async () => {
    const worker = await fixture.cluster.startWorker(async (command, self) => {
      if (command.kind === 'release') await self.release(fence);
      return {};
    });
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'failed' });

    const answer = await asTenant('POST /api/sessions/shop-1/restart');
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
    expect(worker.received).toMatchObject([{ kind: 'release', sessionId: 'shop-1' }]);
  });

  it('takes a session that failed from an owner that lives and does not release it', async () => {
    const worker = await fixture.cluster.startWorker(async (command, self) => self.refuse(command));
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'failed' });

    const answer = await asTenant('POST /api/sessions/shop-1/restart');
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
    await expect(worker.sessions.setStatus(fence, { status: 'open' })).rejects.toThrow('no longer owns');
  });

  it('queues a session whose worker died, whatever its status was', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'open' });
    await worker.die();
    const answer = await asTenant('POST /api/sessions/shop-1/restart');
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
  });

  it('knows no session of another tenant', async () => {
    await fixture.client.call('create-session', { body: { id: 'shop-1' } });
    await fixture.nextTenant();
    expect(await asTenant('POST /api/sessions/shop-1/restart')).toMatchObject(
      errorAnswer(404, 'SESSION_NOT_FOUND'),
    );
  });
});

describe('GET /api/sessions', () => {
  it('shows a session as its owner knows it', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'open', phone: '15550001001' });

    const view = await getSession('shop-1');
    expect(view).toMatchObject({ id: 'shop-1', status: 'open', phone: '15550001001', worker: worker.id });
    expect(Math.abs(Date.parse(view.since) - Date.now())).toBeLessThan(60_000);
  });

  it('shows how far linking has come, and no code of a worker that is gone', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    const problem = { code: 'expired', message: 'too late' } as const;
    const link = {
      step: 'code-shown',
      next: 'Type it.',
      expiresAt: new Date().toISOString(),
      problem,
    } as const;
    await worker.sessions.setStatus(fence, { status: 'awaiting_link', link });
    expect(await getSession('shop-1')).toMatchObject({ link });
    await worker.die();
    await fixture.cluster.sessions.markQueued(fence, 'no worker is running', worker.id);
    expect((await getSession('shop-1')).link).toEqual({
      step: 'waiting',
      next: LINK_STEPS.waiting.next,
      problem,
    });
  });

  it('shows when something and when a message last came, once that is noted', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    const seen = () => getSession('shop-1');
    expect(await seen()).not.toHaveProperty('lastStanzaAt');
    await noteArrivals(fixture.cluster.connection, [
      { fence, lastStanzaAt: 1_700_000_001_000, lastMessageAt: 0 },
    ]);
    expect(await seen()).toMatchObject({ lastStanzaAt: '2023-11-14T22:13:21.000Z' });
    expect(await seen()).not.toHaveProperty('lastMessageAt');
    await noteArrivals(fixture.cluster.connection, [
      { fence, lastStanzaAt: 1_700_000_003_000, lastMessageAt: 1_700_000_002_000 },
    ]);
    expect(await seen()).toMatchObject({
      lastStanzaAt: '2023-11-14T22:13:23.000Z',
      lastMessageAt: '2023-11-14T22:13:22.000Z',
    });
    const { settings: _, metadata: __, ...listed } = await seen();
    expect(await listSessions(fixture.client)).toEqual([listed]);
  });

  it('lists the tenant’s sessions, oldest first', async () => {
    for (const id of ['b', 'a', 'c']) await fixture.client.call('create-session', { body: { id } });
    expect(await asTenant('GET /api/sessions')).toMatchObject({
      status: 200,
      body: { items: [{ id: 'b' }, { id: 'a' }, { id: 'c' }] },
    });
  });

  it('returns an error for a session that does not exist, and for one that cannot exist', async () => {
    expect(await asTenant('GET /api/sessions/nope')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    expect(await asTenant('GET /api/sessions/a%20b')).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path: 'params.id' }] } } },
    });
  });
});

describe('DELETE /api/sessions/:id', () => {
  it('purges a session that no worker owns', async () => {
    await fixture.client.call('create-session', { body: { id: 'shop-1' } });
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({ status: 204, body: undefined });
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject(
      errorAnswer(404, 'SESSION_NOT_FOUND'),
    );
  });

  it('has the owner unlink before it purges', async () => {
    const worker = await fixture.cluster.startWorker(async ({ tenantId, sessionId }, { sessions }) => {
      await sessions.require({ tenantId, sessionId });
      return {};
    });
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({ status: 204 });
    expect(worker.received).toEqual([
      { kind: 'unlink', tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' },
    ]);
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });

  it('purges a session whose worker is dead', async () => {
    const worker = await fixture.cluster.startWorker();
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.die();
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({ status: 204 });
    expect(worker.received).toEqual([]);
  });

  it('keeps a linked session without a worker until a worker has logged it out, and reports that', async () => {
    const dead = await fixture.cluster.startWorker();
    const fence = await dead.own(fixture.tenant.tenantId, 'shop-1');
    await dead.sessions.setStatus(fence, { status: 'failed', phone: '15550001001' });
    await dead.die();
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({
      status: 202,
      body: { id: 'shop-1', removal: 'removing' },
    });
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject({
      status: 200,
      body: { status: 'queued', reason: 'removing' },
    });
    expect(await asTenant('POST /api/sessions/shop-1/restart')).toMatchObject({ status: 202 });

    const worker = await fixture.cluster.startWorker();
    const claim = await worker.claim(fence);
    await worker.sessions.purge(claim, { fence: claim, ifMarked: true, isUnlinked: false });
    expect(await fixture.cluster.sessions.get(fence)).toBeUndefined();
  });

  it('removes a linked session at once when that is forced, and says that the phone lists it', async () => {
    const worker = await fixture.cluster.startWorker();
    const fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await worker.sessions.setStatus(fence, { status: 'reconnecting', phone: '15550001001' });
    expect(await asTenant('DELETE /api/sessions/shop-1?force=true')).toMatchObject({
      status: 200,
      body: { id: 'shop-1', removal: 'still-listed' },
    });
    expect(worker.received).toEqual([]);
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });

  it('tells when the owner could not have WhatsApp confirm', async () => {
    const worker = await fixture.cluster.startWorker(async () => ({ isUnlinked: false }));
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject({
      status: 200,
      body: { removal: 'still-listed' },
    });
  });

  it('keeps the session while its owner is only just taking it up', async () => {
    const worker = await fixture.cluster.startWorker(async (command, self) => self.refuse(command));
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject(errorAnswer(503, 'NO_WORKER'));
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject({ status: 200 });
  });

  it('keeps the session when the owner fails to unlink it', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new WafleetError('WHATSAPP_REFUSED', 'WhatsApp did not log the device out.');
    });
    await worker.own(fixture.tenant.tenantId, 'shop-1');
    const ref = { tenantId: fixture.tenant.tenantId, sessionId: 'shop-1' };
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject(errorAnswer(502, 'WHATSAPP_REFUSED'));
    expect(await asTenant('GET /api/sessions/shop-1')).toMatchObject({ status: 200 });
    expect(await fixture.cluster.sessions.require(ref)).not.toHaveProperty('removeBy');
  });

  it('does not take back an earlier removal when it is refused', async () => {
    const worker = await fixture.cluster.startWorker(async () => {
      throw new WafleetError('INBOX_FULL', 'The worker has too many commands waiting.');
    });
    const ref = await worker.own(fixture.tenant.tenantId, 'shop-1');
    await fixture.cluster.sessions.markRemoval(ref, { patienceMs: 3_600_000 });
    const { removeBy } = await fixture.cluster.sessions.require(ref);
    expect(await asTenant('DELETE /api/sessions/shop-1')).toMatchObject(errorAnswer(429, 'INBOX_FULL'));
    expect(await fixture.cluster.sessions.require(ref)).toMatchObject({ removeBy });
  });
});

describe('a session whose record this release cannot read', () => {
  const entryOf = (id: string) => `wf:{${fixture.tenant.tenantId}}:session:${id}`;

  beforeEach(async () => {
    for (const id of ['first', 'odd', 'last']) await fixture.client.call('create-session', { body: { id } });
    await fixture.cluster.connection.hset(entryOf('odd'), {
      status: 'paused',
      createdAt: 'yesterday',
      name: '',
    });
  });

  it('shows as failed, beside the others', async () => {
    expect(await asTenant('GET /api/sessions/odd')).toMatchObject({
      status: 200,
      body: { id: 'odd', status: 'failed', reason: 'record-unreadable' },
    });
    expect((await listSessions(fixture.client)).map(({ id }) => id)).toEqual(['first', 'odd', 'last']);
  });

  it('is healed by a restart', async () => {
    expect(await asTenant('POST /api/sessions/odd/restart')).toMatchObject({
      status: 202,
      body: { status: 'queued' },
    });
    expect(await asTenant('GET /api/sessions/odd')).toMatchObject({
      body: { status: 'queued', reason: 'restart' },
    });
  });

  it.each(['string', 'list'] as const)('is healed or removed when it is a %s', async (type) => {
    await fixture.cluster.connection.del(entryOf('odd'));
    if (type === 'string') await fixture.cluster.connection.set(entryOf('odd'), 'x');
    else await fixture.cluster.connection.rpush(entryOf('odd'), 'x');
    expect((await asTenant('GET /api/sessions')).status).toBe(200);
    expect(await asTenant('POST /api/sessions/odd/restart')).toMatchObject({ body: { status: 'queued' } });
    expect(await asTenant('DELETE /api/sessions/odd')).toMatchObject({ status: 204 });
    expect(await fixture.cluster.connection.exists(entryOf('odd'))).toBe(0);
  });

  it('can be removed', async () => {
    expect(await asTenant('DELETE /api/sessions/odd')).toMatchObject({ status: 204 });
    expect(await asTenant('GET /api/sessions/odd')).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });
});

describe('the sessions of another tenant', () => {
  it.each([
    ['GET /api/sessions/theirs', undefined],
    ['DELETE /api/sessions/theirs', undefined],
    ['GET /api/sessions/theirs/qr', undefined],
    ['POST /api/sessions/theirs/pairing-code', { phone: '15550001001' }],
    ['POST /api/sessions/theirs/messages', { to: '15550001001', text: 'hi' }],
  ])('do not exist for %s', async (request, body) => {
    const worker = await fixture.cluster.startWorker();
    const other = await fixture.cluster.createTenant();
    const fence = await worker.own(other.tenantId, 'theirs');
    await worker.sessions.setStatus(fence, { status: 'awaiting_link' });
    await worker.offers.putQr(fence, { qr: 'a secret', expiresAt: Date.now() + 60_000 });

    expect(await asTenant(request, body)).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
    expect(worker.received).toEqual([]);
    expect(await asTenant('GET /api/sessions')).toMatchObject({ body: { items: [] } });
  });
});
