import { CONNECTION_CLOSING_EVENT } from '@wafleet/contract';
import { TenantLimitTable, TenantRemovals } from '@wafleet/store';
import { everythingIn, executeCommand, type Handle, type TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClusterFixture } from '../testing/cluster-fixture.js';
import { errorAnswer, sendRequest } from '../testing/raw-request.js';
import { SocketClient } from '../testing/socket-client.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = new ClusterFixture();
let worker: TestWorker;
let clients: SocketClient[] = [];

beforeAll(() => fixture.start(2, { tenantRemovalTimes: { waitMs: 1_000, sweepMs: 100, settleMs: 1_000 } }));
beforeEach(async () => {
  await fixture.beginTest();
  worker = await fixture.cluster.startWorker(unlink);
});
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});
afterAll(() => fixture.stop());

const asAdmin = (request: string, body?: unknown) =>
  sendRequest(fixture.edge.url, request, { key: ADMIN_TOKEN, body });
const remove = (tenantId: string, query = '') => asAdmin(`DELETE /api/tenants/${tenantId}${query}`);
const withKey = (request: string, key: string, url = fixture.edge.url) => sendRequest(url, request, { key });

async function listener(key: string, url: string) {
  const client = new SocketClient(`${url}/api/events`, { auth: { token: key }, transports: ['websocket'] });
  clients.push(client);
  const closings: unknown[] = [];
  client.socket.on(CONNECTION_CLOSING_EVENT, (closing: unknown) => closings.push(closing));
  await client.connected();
  await client.subscribe({ events: ['*'] });
  return { client, closings };
}

/** Removes a session as a real worker does. */
const unlink: Handle = async (command, self) => {
  if (command.kind !== 'unlink') return executeCommand(command, self);
  const fence = self.fenceOf(command);
  await self.sessions.purge(fence, { fence, isUnlinked: true });
  await self.release(fence);
  await self.beat();
  return { isUnlinked: true };
};

/** A session that is linked and open, with credentials, settings and events. */
async function openSession(tenantId: string, sessionId: string) {
  const fence = await worker.own(tenantId, sessionId);
  await worker.sessions.setStatus(fence, { status: 'open', phone: '15550001001', device: '15550001001:3:x' });
  await fixture.cluster.connection.hset(`wf:{${tenantId}}:auth:${sessionId}`, 'creds', 'sealed');
  await worker.publish(fence, 'presence.update', { id: '1@lid', presences: {} });
}

/** Resolves once nothing in Redis names the tenant, except for its mark and what the administrator did. */
async function untilNothingIsLeft(tenantId: string): Promise<void> {
  const { connection } = fixture.cluster;
  const mark = `wf:{${tenantId}}:removal`;
  await waitFor(async () => (await connection.pttl(mark)) > 0, { what: 'the removal has ended' });
  expect(Object.keys(await connection.hgetall(mark)).sort()).toEqual(['purgedAt', 'since']);
  // An entry of the audit log is one line.
  const lines = (await everythingIn(connection)).toString('latin1').split('\n');
  const left = lines.filter(
    (line) => line.includes(tenantId) && line !== mark && !line.includes('"action":'),
  );
  expect(left).toEqual([]);
}

describe('a tenant that is removed', () => {
  it('is gone with all that it had, and no other tenant is touched', async () => {
    const { tenantId, key } = fixture.tenant;
    const other = await fixture.cluster.createTenant('other');
    await openSession(tenantId, 'shop-1');
    await openSession(tenantId, 'shop-2');
    await fixture.cluster.sessions.create({ tenantId, sessionId: 'unowned' });
    await worker.own(other.tenantId, 'shop-1');
    await new TenantLimitTable(fixture.cluster.connection).change(tenantId, { sessions: 50 });
    const second = await fixture.cluster.createKey(tenantId, { expiresAt: Date.now() + 3_600_000 });
    await fixture.client.call('change-session', { params: { id: 'shop-1' }, body: { metadata: { a: 'b' } } });
    await sendRequest(fixture.edge.url, 'POST /api/sessions/shop-1/messages', {
      key,
      body: { to: '15551230001', text: 'hi' },
      headers: { 'idempotency-key': 'one' },
    });
    await fixture.client.call('create-job', {
      params: { id: 'shop-1' },
      body: {
        messages: [{ to: '15551230001', text: 'hi' }],
        at: new Date(Date.now() + 86_400_000).toISOString(),
      },
    });
    // A session whose purge was interrupted leaves the job in what is due.
    const soon = String(Date.now() + 86_400_000);
    await fixture.cluster.connection.zadd('wf:{jobs}:due', soon, `${tenantId}/job_left`);
    await fixture.cluster.connection.zadd('wf:{jobs}:due', soon, `${other.tenantId}/job_of_other`);
    const [here, there] = [
      await listener(key, fixture.edge.url),
      await listener(second.key, fixture.otherEdge.url),
    ];

    expect(await remove(tenantId)).toMatchObject({ status: 204 });
    await waitFor(() => [here, there].every(({ client }) => client.socket.disconnected), {
      what: 'its sockets are cut',
    });
    for (const { closings } of [here, there]) expect(closings).toMatchObject([{ code: 'KEY_REVOKED' }]);
    for (const { url } of fixture.edges) {
      for (const each of [key, second.key]) {
        expect(await withKey('GET /api/sessions', each, url)).toMatchObject(errorAnswer(401, 'UNAUTHORIZED'));
      }
    }
    expect(worker.received.filter(({ kind }) => kind === 'unlink')).toHaveLength(2);
    await untilNothingIsLeft(tenantId);

    expect(await fixture.cluster.connection.zrange('wf:{jobs}:due', 0, '-1')).toContain(
      `${other.tenantId}/job_of_other`,
    );
    expect(await withKey('GET /api/sessions', other.key)).toMatchObject({
      status: 200,
      body: { items: [{ id: 'shop-1' }] },
    });
    expect(await asAdmin(`GET /api/tenants/${tenantId}`)).toMatchObject(errorAnswer(404, 'TENANT_NOT_FOUND'));
    expect(await remove(tenantId)).toMatchObject(errorAnswer(404, 'TENANT_NOT_FOUND'));
    const { items } = await fixture.admin.call('list-audit', { query: { tenantId } });
    expect(items.map(({ action, outcome, error }) => [action, outcome, error])).toEqual([
      ['remove-tenant', 'refused', 'TENANT_NOT_FOUND'],
      ['remove-tenant', 'done', undefined],
    ]);
  });

  it('leaves the session of another tenant that has its id as a name', async () => {
    const { tenantId } = fixture.tenant;
    const other = await fixture.cluster.createTenant('other');
    await openSession(other.tenantId, tenantId);
    expect(await remove(tenantId)).toMatchObject({ status: 204 });
    const mark = `wf:{${tenantId}}:removal`;
    await waitFor(async () => (await fixture.cluster.connection.pttl(mark)) > 0, { what: 'it has ended' });
    const read = await withKey(`GET /api/sessions/${tenantId}`, other.key);
    expect(read).toMatchObject({ status: 200, body: { id: tenantId, status: 'open' } });
    expect(await fixture.cluster.connection.exists(`wf:{${other.tenantId}}:auth:${tenantId}`)).toBe(1);
  });

  it('shows its progress while sessions wait, and nothing can be made in it', async () => {
    const { tenantId, key } = fixture.tenant;
    let proceed = () => {};
    const held = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    worker.handle = async (command, self) => {
      if (command.kind === 'unlink') await held;
      return unlink(command, self);
    };
    await openSession(tenantId, 'shop-1');
    await withKey('GET /api/sessions', key, fixture.otherEdge.url);
    const answer = await remove(tenantId);
    expect(answer).toMatchObject({ status: 202, body: { id: tenantId, sessionsLeft: 1 } });
    expect(await asAdmin(`GET /api/tenants/${tenantId}`)).toMatchObject({
      status: 200,
      body: { removal: { since: expect.any(String), sessionsLeft: 1 } },
    });
    expect(await asAdmin('POST /api/keys', { tenantId })).toMatchObject(errorAnswer(404, 'TENANT_NOT_FOUND'));
    await expect(fixture.cluster.sessions.create({ tenantId, sessionId: 'late' })).rejects.toMatchObject({
      code: 'UNAUTHORIZED',
    });
    proceed();
    await untilNothingIsLeft(tenantId);
  });

  it('is removed by a sweep if the edge ends after the mark', async () => {
    const { tenantId, key } = fixture.tenant;
    await openSession(tenantId, 'shop-1');
    await new TenantRemovals(fixture.cluster.connection).mark(tenantId);
    await waitFor(async () => (await withKey('GET /api/sessions', key)).status === 401, {
      what: 'its key is revoked',
    });
    await untilNothingIsLeft(tenantId);
    expect(await asAdmin(`GET /api/tenants/${tenantId}`)).toMatchObject(errorAnswer(404, 'TENANT_NOT_FOUND'));
  });

  it('loses sessions at once that no worker can unlink, if it is to be forced', async () => {
    const { tenantId } = fixture.tenant;
    await openSession(tenantId, 'shop-1');
    await worker.die();
    expect(await remove(tenantId, '?force=true')).toMatchObject({ status: 204 });
    await untilNothingIsLeft(tenantId);
  });

  it('leaves nothing of what was made at the same moment', async () => {
    const { tenantId, key } = fixture.tenant;
    const making = Array.from({ length: 30 }, (_, index) => [
      fixture.cluster.sessions.create({ tenantId, sessionId: `s-${index}` }).then(
        () => 'made',
        (error: { code: string }) => error.code,
      ),
      asAdmin('POST /api/keys', { tenantId }),
    ]).flat();
    const removed = await remove(tenantId);
    const made = await Promise.all(making);
    expect([202, 204]).toContain(removed.status);
    const keys = made.flatMap((each) =>
      typeof each === 'object' && each.status === 201 ? [(each.body as { key: string }).key] : [],
    );
    await untilNothingIsLeft(tenantId);
    for (const each of [key, ...keys]) {
      for (const { url } of fixture.edges) {
        expect(await withKey('GET /api/sessions', each, url)).toMatchObject({ status: 401 });
      }
    }
  });

  // As of a removal whose edge died before it found that there is no such tenant.
  it.each(['workers', 'jobs', 'tnt_none'])(
    'must exist, and no key of the cluster is wiped: %s',
    async (id) => {
      const { connection } = fixture.cluster;
      await connection.zadd('wf:{jobs}:due', String(Date.now() + 86_400_000), 'tnt_other/job_of_other');
      await connection.sadd('wf:tenant-removals', id);
      await waitFor(async () => !(await connection.smembers('wf:tenant-removals')).includes(id), {
        what: 'the removal is dropped',
      });
      expect(await connection.exists('wf:{jobs}:due', 'wf:{workers}:heartbeats')).toBe(2);
      expect(await connection.exists(`wf:{${id}}:removal`)).toBe(0);
    },
  );

  it('is marked and removed by a sweep if the edge ends before the mark', async () => {
    const { tenantId, key } = fixture.tenant;
    await openSession(tenantId, 'shop-1');
    await fixture.cluster.connection.sadd('wf:tenant-removals', tenantId);
    await waitFor(async () => (await withKey('GET /api/sessions', key)).status === 401, {
      what: 'its key is revoked',
    });
    await untilNothingIsLeft(tenantId);
    expect(await fixture.cluster.connection.smembers('wf:tenant-removals')).not.toContain(tenantId);
  });

  it.each(['tnt_none', 'a:b', '%00'])('must exist: %s', async (id) => {
    expect((await remove(id)).status).toBeGreaterThanOrEqual(400);
    expect((await remove(id)).status).toBeLessThan(500);
    expect(await fixture.cluster.connection.smembers('wf:tenant-removals')).not.toContain(id);
  });
});
