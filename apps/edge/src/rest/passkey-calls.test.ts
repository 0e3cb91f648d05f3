import { type PasskeyView, passkeyLinkSchema, WafleetError } from '@wafleet/contract';
import { type Fence, PasskeyLinks } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { useCluster } from '../testing/cluster-fixture.js';
import { errorAnswer, sendRequest } from '../testing/raw-request.js';
import type { TestEdge } from '../testing/test-edge.js';

const OPTIONS = { challenge: 'c2VjcmV0', rpId: 'whatsapp.com', extensions: { uvm: true }, later: [1] };
const ASSERTION = {
  id: 'AQID',
  rawId: 'AQID',
  type: 'public-key',
  response: { clientDataJSON: 'e30', authenticatorData: 'AQID', signature: 'AQ+_', userHandle: null },
};

const fixture = useCluster({ corsOrigin: 'https://app.example.com' });
let worker: TestWorker;
let fence: Fence;
let view: PasskeyView;
let refusal: WafleetError | undefined;

beforeEach(async () => {
  view = { stage: 'requested', options: OPTIONS, expiresAt: new Date(Date.now() + 60_000).toISOString() };
  refusal = undefined;
  worker = await fixture.cluster.startWorker(async () => {
    if (refusal !== undefined) throw refusal;
    return view;
  });
  fence = await worker.own(fixture.tenant.tenantId, 'shop-1');
});

const asTenant = (request: string, body?: unknown) => fixture.send(request, body);
const withToken = (request: string, key: string | undefined, body?: unknown) =>
  sendRequest(fixture.edge.url, request, { key, body });

/** What a link that was made for the session holds. */
async function makeLink(body?: unknown): Promise<{ url: string; t: string; b: string; expiresAt: string }> {
  const made = await asTenant('POST /api/sessions/shop-1/passkey/helper-link', body);
  expect(made).toMatchObject({ status: 201 });
  expect(made.headers.get('cache-control')).toBe('no-store');
  const { url, expiresAt } = passkeyLinkSchema.parse(made.body);
  const [, hash = ''] = /^https:\/\/web\.whatsapp\.com\/#wafleet-passkey=([\w-]+)$/.exec(url) ?? [];
  const { t, b } = JSON.parse(Buffer.from(hash, 'base64url').toString()) as { t: string; b: string };
  return { url, t, b, expiresAt };
}

describe('the calls of a session', () => {
  it('give the options as WhatsApp sent them', async () => {
    const answer = await asTenant('GET /api/sessions/shop-1/passkey');
    expect(answer).toMatchObject({ status: 200, body: view });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('take what a browser has signed, without what they do not know', async () => {
    view = { stage: 'signed', expiresAt: view.expiresAt };
    const body = { ...ASSERTION, clientExtensionResults: {}, authenticatorAttachment: 'platform' };
    expect(await asTenant('POST /api/sessions/shop-1/passkey/assertion', body)).toMatchObject({
      status: 200,
      body: view,
    });
    expect(worker.received.at(-1)).toMatchObject({ kind: 'sign-passkey', sessionId: 'shop-1', ...ASSERTION });
    expect(worker.received.at(-1)).not.toHaveProperty('clientExtensionResults');
  });

  it.each([
    { ...ASSERTION, rawId: 'no base64!' },
    { ...ASSERTION, type: 'password' },
    { ...ASSERTION, response: { ...ASSERTION.response, signature: 'A'.repeat(1_401) } },
    { ...ASSERTION, response: {} },
    {},
  ])('refuse %j', async (body) => {
    const { status, body: answer } = await asTenant('POST /api/sessions/shop-1/passkey/assertion', body);
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).not.toContain('AAAA');
    expect(worker.received).toEqual([]);
  });

  it('pass on why the worker refused', async () => {
    refusal = new WafleetError('PASSKEY_ASSERTION_INVALID', 'It is for another one.', { problem: 'origin' });
    expect(await asTenant('POST /api/sessions/shop-1/passkey/assertion', ASSERTION)).toMatchObject(
      errorAnswer(422, 'PASSKEY_ASSERTION_INVALID', { problem: 'origin' }),
    );
    refusal = new WafleetError('PASSKEY_NOT_REQUESTED', 'None is asked for.');
    for (const call of [
      'GET /api/sessions/shop-1/passkey',
      'POST /api/sessions/shop-1/passkey/helper-link',
    ]) {
      expect(await asTenant(call)).toMatchObject(errorAnswer(409, 'PASSKEY_NOT_REQUESTED'));
    }
    const confirmation = 'POST /api/sessions/shop-1/passkey/confirmation';
    expect(await asTenant(confirmation, { matches: true })).toMatchObject(
      errorAnswer(409, 'PASSKEY_NOT_REQUESTED'),
    );
  });
});

describe('a helper link', () => {
  it('leads to the address of the request, unless another one is given', async () => {
    expect(await makeLink()).toMatchObject({ b: fixture.edge.url });
    expect(await makeLink({ apiUrl: 'https://api.example.com/' })).toMatchObject({
      b: 'https://api.example.com',
    });
    expect(
      await asTenant('POST /api/sessions/shop-1/passkey/helper-link', { apiUrl: 'ftp://example.com' }),
    ).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED'));
  });

  it('leads to PUBLIC_URL where there is one', async () => {
    const edge: TestEdge = await fixture.cluster.startEdge({ publicUrl: 'https://public.example.com' });
    const { url } = await edge
      .client(fixture.tenant.key)
      .call('create-passkey-link', { params: { id: 'shop-1' } });
    const hash = url.split('=')[1] ?? '';
    expect(JSON.parse(Buffer.from(hash, 'base64url').toString())).toMatchObject({
      b: 'https://public.example.com',
    });
    await edge.stop();
  });

  it('is good for the three calls of its session', async () => {
    const { t, expiresAt } = await makeLink();
    expect(Date.parse(expiresAt)).toBe(Date.parse(view.expiresAt) + 540_000);
    const labelled = { ...view, label: 'shop-1' };
    expect(await withToken('GET /api/passkey', t)).toMatchObject({ status: 200, body: labelled });
    expect(await withToken('POST /api/passkey/assertion', t, ASSERTION)).toMatchObject({
      status: 200,
      body: labelled,
    });
    expect(await withToken('POST /api/passkey/confirmation', t, { matches: true })).toMatchObject({
      status: 200,
      body: labelled,
    });
    expect(worker.received.map(({ kind }) => kind)).toEqual([
      ...['get-passkey', 'get-passkey'],
      ...['sign-passkey', 'confirm-passkey'],
    ]);
    for (const { sessionId } of worker.received.map((each) => each as { sessionId?: string }))
      expect(sessionId).toBe('shop-1');
  });

  it('is good for nothing else, and no API key is good for its calls', async () => {
    const { t } = await makeLink();
    for (const call of ['GET /api/sessions', 'GET /api/sessions/shop-1/passkey', 'GET /api/events'])
      expect(await withToken(call, t)).toMatchObject(errorAnswer(401, 'UNAUTHORIZED'));
    for (const key of [fixture.tenant.key, undefined, 'x', `${t}x`])
      expect(await withToken('GET /api/passkey', key)).toMatchObject(errorAnswer(401, 'UNAUTHORIZED'));
  });

  it('outlives the stage in which it was made', async () => {
    view = { ...view, expiresAt: new Date(Date.now() + 50).toISOString() };
    const { t } = await makeLink();
    await waitFor(() => Date.now() > Date.parse(view.expiresAt), { what: 'the end of the stage' });
    view = { stage: 'signed', expiresAt: new Date(Date.now() + 60_000).toISOString() };
    expect(await withToken('GET /api/passkey', t)).toMatchObject({ status: 200, body: view });
  });

  it('ends with the next one, with its session’s request, and after nineteen minutes at most', async () => {
    view = { ...view, expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
    const first = await makeLink();
    expect(Date.parse(first.expiresAt)).toBeLessThanOrEqual(Date.now() + 1_140_000);
    const second = await makeLink();
    expect(await withToken('GET /api/passkey', first.t)).toMatchObject({ status: 401 });
    expect(await withToken('GET /api/passkey', second.t)).toMatchObject({ status: 200 });
    await new PasskeyLinks(fixture.cluster.connection).end(fence);
    expect(await withToken('GET /api/passkey', second.t)).toMatchObject({ status: 401 });
  });
});

describe('pages of other origins', () => {
  const preflight = (path: string, origin: string) =>
    fetch(`${fixture.edge.url}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it.each([
    ['https://web.whatsapp.com', true],
    ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', true],
    ['moz-extension://0c1f2a3b-1111-2222-3333-444455556666', true],
    ['https://app.example.com', true],
    ['https://web.whatsapp.com.example.com', false],
    ['https://whatsapp.com', false],
    ['http://web.whatsapp.com', false],
  ])('%s may make the calls of a helper: %s', async (origin, isAllowed) => {
    const allowed = isAllowed ? origin : null;
    const asked = await preflight('/api/passkey/assertion', origin);
    expect(asked.headers.get('access-control-allow-origin')).toBe(allowed);
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
    if (isAllowed) expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    const { t } = await makeLink();
    const { headers } = await sendRequest(fixture.edge.url, 'GET /api/passkey', {
      key: t,
      headers: { origin },
    });
    expect(headers.get('access-control-allow-origin')).toBe(allowed);
    const wrong = await sendRequest(fixture.edge.url, 'GET /api/passkey', { key: 'x', headers: { origin } });
    expect(wrong.headers.get('access-control-allow-origin')).toBe(allowed);
  });

  it.each(['/api/sessions', '/api/passkeys', '/api/sessions/shop-1/passkey/assertion'])(
    'of a helper may not make calls to %s',
    async (path) => {
      const { headers } = await preflight(path, 'https://web.whatsapp.com');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});
