import { pairingCodeSchema, qrSchema, WafleetError } from '@wafleet/contract';
import type { Fence } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';

const QR = '2@abcdefghij,klmnopqrst,uvwxyz';
const CODE_LIFE_MS = 160_000;

const fixture = useCluster();
let worker: TestWorker;
let fence: Fence;

beforeEach(async () => {
  worker = await fixture.cluster.startWorker(async (command) => {
    if (command.kind !== 'pairing-code') throw new WafleetError('INTERNAL', 'not expected');
    if (command.phone === '15550009999') throw new WafleetError('ALREADY_LINKED', 'It is linked.');
    return { code: 'K7QW3M9Z', expiresAt: new Date(Date.now() + CODE_LIFE_MS).toISOString() };
  });
  fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
});

async function showQr(expiresAt = Date.now() + 60_000): Promise<void> {
  await worker.sessions.setStatus(fence, { status: 'awaiting_link' });
  await worker.offers.putQr(fence, { qr: QR, expiresAt });
}

const getQr = (accept?: string) =>
  fetch(`${fixture.edge.url}/api/sessions/shop-1/qr`, {
    headers: { 'x-api-key': fixture.tenant.key, ...(accept === undefined ? {} : { accept }) },
  });

describe('GET /api/sessions/:id/qr', () => {
  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['image/png', 'image/png'],
    ['image/*', 'image/png'],
    ['image/svg+xml', 'image/svg+xml'],
    ['text/html,image/svg+xml;q=0.9,*/*;q=0.8', 'image/svg+xml'],
    ['image/png;q=0.2, image/svg+xml;q=0.7, application/json;q=0.1', 'image/svg+xml'],
    ['application/json;q=0, */*', 'image/png'],
  ])('for Accept: %s it is %s', async (accept, type) => {
    await showQr();
    const response = await getQr(accept);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toContain('accept');

    const body = Buffer.from(await response.arrayBuffer());
    if (type === 'image/png') expect(body.subarray(1, 4).toString()).toBe('PNG');
    else if (type === 'image/svg+xml') expect(body.toString()).toMatch(/^<svg.*<\/svg>\s*$/s);
    else expect(qrSchema.parse(JSON.parse(body.toString())).qr).toBe(QR);
  });

  it('is not had in other types', async () => {
    await showQr();
    const response = await getQr('text/html');
    expect(response.status).toBe(406);
    expect(await response.json()).toMatchObject({ error: { code: 'NOT_ACCEPTABLE' } });
  });

  it('tells when it expires', async () => {
    const expiresAt = Date.now() + 45_000;
    await showQr(expiresAt);
    expect(await (await getQr()).json()).toEqual({ qr: QR, expiresAt: new Date(expiresAt).toISOString() });
  });

  const nothing = (status: string, reason: string) => ({
    error: { code: 'QR_NOT_AVAILABLE', details: { status, reason } },
  });

  it.each([
    ['connecting', undefined, 'connects to WhatsApp'],
    ['awaiting_link', undefined, 'a new QR code comes in a moment'],
    ['open', undefined, 'is already linked'],
    ['failed', 'WhatsApp banned the account', 'WhatsApp banned the account'],
  ] as const)('says why there is none: %s, %s', async (status, given, reason) => {
    await worker.sessions.setStatus(fence, { status, reason: given });
    const response = await getQr('image/png');
    expect(response.status).toBe(409);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject(nothing(status, reason));
  });

  it('is never one that has expired', async () => {
    await showQr(Date.now() - 1);
    expect(await (await getQr()).json()).toMatchObject(
      nothing('awaiting_link', 'a new QR code comes in a moment'),
    );
  });

  it('is also one of a worker whose clock is behind', async () => {
    await showQr();
    const { tenantId, sessionId } = fence;
    await fixture.cluster.connection.hset(
      `wf:{${tenantId}}:qr:${sessionId}`,
      'expiresAt',
      Date.now() - 120_000,
    );
    expect((await getQr()).status).toBe(200);
  });

  it('is never one of a session that was linked meanwhile', async () => {
    await showQr();
    await worker.sessions.setStatus(fence, { status: 'open', phone: '15550001001' });
    expect(await (await getQr()).json()).toMatchObject(nothing('open', 'is already linked'));
  });

  it('is never one of a worker that died', async () => {
    await showQr();
    await worker.die();
    expect((await getQr()).status).toBe(409);
  });
});

describe('POST /api/sessions/:id/pairing-code', () => {
  const ask = (phone: unknown) => fixture.send('POST /api/sessions/shop-1/pairing-code', { phone });

  it.each(['15550001001', '+1 (555) 000-1001', '+1.555.000.1001'])('gives a code for %s', async (phone) => {
    const answer = await ask(phone);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { code, expiresAt } = pairingCodeSchema.parse(answer.body);
    expect(code).toBe('K7QW3M9Z');
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now());
    expect(worker.received).toMatchObject([{ kind: 'pairing-code', phone: '15550001001' }]);
  });

  it('tells that the session is linked', async () => {
    expect(await ask('15550009999')).toMatchObject(errorAnswer(409, 'ALREADY_LINKED'));
  });

  it.each(['', 'abc', '0155500010', '123', 15550001001, null])('refuses the phone %j', async (phone) => {
    expect(await ask(phone)).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_FAILED', details: { issues: [{ path: 'body.phone' }] } } },
    });
  });
});
