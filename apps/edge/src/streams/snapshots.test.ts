import { LINK_STEPS, payloadSchemas } from '@wafleet/contract';
import type { Fence } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { SocketClient } from '../testing/socket-client.js';

const fixture = useCluster();
let worker: TestWorker;
let fences: Record<'open' | 'showing-qr' | 'showing-code', Fence>;
const clients: SocketClient[] = [];

beforeAll(async () => {
  worker = await fixture.cluster.startWorker();
});
beforeEach(async () => {
  const own = (sessionId: string) => worker.own(fixture.tenant.tenantId, sessionId);
  fences = {
    open: await own('open'),
    'showing-code': await own('showing-code'),
    'showing-qr': await own('showing-qr'),
  };
  await worker.sessions.setStatus(fences.open, { status: 'open', phone: '15550001001' });
  await worker.sessions.setStatus(fences['showing-qr'], { status: 'awaiting_link' });
  await worker.sessions.setStatus(fences['showing-code'], {
    status: 'awaiting_link',
    reason: 'because',
    link: { step: 'code-shown', next: LINK_STEPS['code-shown'].next },
  });
  const expiresAt = Date.now() + 60_000;
  await worker.offers.putQr(fences['showing-qr'], { qr: '2@abc', expiresAt });
  await worker.offers.putPairingCode(fences['showing-code'], {
    code: 'K7QW3M9Z',
    phone: '15550001002',
    expiresAt,
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function connect(key = fixture.tenant.key): Promise<SocketClient> {
  const client = new SocketClient(`${fixture.edge.url}/api/events`, {
    auth: { token: key },
    transports: ['websocket'],
  });
  clients.push(client);
  return client.connected();
}

/** What the client received before an event that is published now. */
async function reported(client: SocketClient) {
  const known = client.received.length;
  await worker.publish(fences.open, 'connection.update', { connection: 'open', isOnline: true });
  await client.payloads(known + 1);
  return client.reported.slice(0, -1);
}

describe('who subscribes', () => {
  it('first gets the state of each session, and its codes for linking', async () => {
    const client = await connect();
    await client.subscribe(['*']);
    const before = await reported(client);
    expect(before.map(({ event, args }) => [event, args[0]])).toMatchObject([
      ['connection.update', { sessionId: 'open', connection: 'open', status: 'open', snapshot: true }],
      [
        'connection.update',
        {
          sessionId: 'showing-code',
          status: 'awaiting_link',
          reason: 'because',
          link: { step: 'code-shown' },
        },
      ],
      [
        'auth.pairing-code',
        { sessionId: 'showing-code', code: 'K7QW3M9Z', phone: '15550001002', snapshot: true },
      ],
      ['connection.update', { sessionId: 'showing-qr', connection: 'connecting', status: 'awaiting_link' }],
      ['auth.qr', { sessionId: 'showing-qr', qr: '2@abc', snapshot: true }],
    ]);
    for (const { event, args } of before) expect(payloadSchemas[event].parse(args[0])).toEqual(args[0]);
    const ids = before.map(({ args }) => (args[0] as { eventId: string }).eventId);
    expect(new Set(ids).size).toBe(ids.length);
    const again = await connect();
    expect(await again.subscribe({ events: ['call'], since: ids[2] })).toMatchObject({
      ok: true,
      recovered: true,
    });
  });

  it('gets states only of what it subscribes to', async () => {
    const client = await connect();
    await client.subscribe({ events: ['connection.update', 'call'], sessions: ['open'] });
    const before = await reported(client);
    expect(before).toMatchObject([{ event: 'connection.update', args: [{ sessionId: 'open' }] }]);
  });

  it('gets no snapshot if it subscribes to no states, and none twice', async () => {
    const client = await connect();
    await client.subscribe(['messages.*', 'call']);
    await client.subscribe({ events: ['connection.update'], sessions: ['open'] });
    expect(await reported(client)).toHaveLength(1);
  });

  it('sees no code that has expired, was taken away, or whose worker is dead', async () => {
    await worker.offers.putQr(fences['showing-qr'], { qr: '2@abc', expiresAt: Date.now() - 1 });
    await worker.offers.clear(fences['showing-code']);
    const client = await connect();
    await client.subscribe(['connection.update', 'auth.*']);
    expect((await reported(client)).map(({ event }) => event)).toEqual(Array(3).fill('connection.update'));

    const mortal = await fixture.cluster.startWorker();
    const fence = await mortal.own(fixture.tenant.tenantId, 'orphan');
    await mortal.sessions.setStatus(fence, { status: 'awaiting_link' });
    await mortal.offers.putQr(fence, { qr: '2@dead', expiresAt: Date.now() + 60_000 });
    await mortal.die();
    const late = await connect();
    await late.subscribe({ events: ['auth.qr', 'connection.update'], sessions: ['orphan', 'open'] });
    expect((await reported(late)).map(({ event }) => event)).toEqual(Array(2).fill('connection.update'));
  });

  it('sees a pairing code in place of the QR code before it, and the other way round', async () => {
    const fence = fences['showing-qr'];
    const expiresAt = Date.now() + 60_000;
    await worker.offers.putPairingCode(fence, { code: 'AAAABBBB', phone: '15550001003', expiresAt });
    expect(await worker.offers.getQr(fence)).toBeUndefined();
    expect(await worker.offers.getPairingCode(fence)).toMatchObject({ code: 'AAAABBBB' });
    await worker.offers.putQr(fence, { qr: '2@next', expiresAt });
    expect(await worker.offers.getPairingCode(fence)).toBeUndefined();
    expect(await worker.offers.getQr(fence)).toMatchObject({ qr: '2@next' });
  });
});

describe('who goes on after a loss', () => {
  it('is given no expired code, and no snapshot of what it knows', async () => {
    const ack = await (await connect()).subscribe(['*']);
    const since = 'position' in ack ? ack.position : undefined;
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    await worker.publish(fences['showing-qr'], 'auth.qr', { qr: '2@old', expiresAt: at(-1_000) });
    await worker.publish(fences['showing-qr'], 'auth.qr', { qr: '2@new', expiresAt: at(60_000) });
    const client = await connect();
    await client.subscribe({ events: ['*'], since });
    await client.payloads(1);
    expect((await reported(client)).map(({ args }) => args[0])).toMatchObject([{ qr: '2@new' }]);
  });
});
