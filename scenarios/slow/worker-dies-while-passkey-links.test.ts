import { type Cluster, startCluster, type TestTenant, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownerOf } from '../support/owner-process.js';
import { beginPasskeyLink } from '../support/passkey-link.js';
import { report } from '../support/report.js';

/**
 * WhatsApp demands the passkey of an account, a person signs by a helper link, and the worker is killed in the middle.
 * Another worker begins the link again, which completes.
 */
let cluster: Cluster;
let tenant: TestTenant;

beforeEach(async () => {
  cluster = await startCluster({ workers: 2 });
  tenant = await cluster.addTenant();
});

afterEach(async () => {
  await cluster?.stop();
});

const params = { id: 'shop' };
type Phone = ReturnType<Cluster['simulator']['addPhone']>;

/** The person with a helper link. */
interface Helper {
  readonly url: string;
  readonly token: string;
}

/** The calls of a helper, as its extension makes them. */
async function asHelper({ url, token }: Helper, request: string, body?: object) {
  const [method = 'GET', path = ''] = request.split(' ');
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      origin: 'https://web.whatsapp.com',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.headers.get('access-control-allow-origin')).not.toBeNull();
  const answer: { stage?: string; options?: { challenge: string; rpId: string }; label?: string } =
    JSON.parse(await response.text());
  return { status: response.status, answer };
}

async function makeLink(): Promise<Helper> {
  const { url } = await tenant.client.call('create-passkey-link', { params });
  const fragment = new URL(url).hash.replace('#wafleet-passkey=', '');
  const { t, b }: { t: string; b: string } = JSON.parse(Buffer.from(fragment, 'base64url').toString());
  return { token: t, url: b };
}

async function sign(helper: Helper, phone: Phone): Promise<void> {
  const { answer } = await asHelper(helper, 'GET /api/passkey');
  expect(answer).toMatchObject({ stage: 'requested', label: 'Shop' });
  if (answer.options === undefined || phone.passkey === undefined) throw new Error('nothing to sign');
  const signed = phone.passkey.sign(answer.options);
  expect(await asHelper(helper, 'POST /api/passkey/assertion', signed)).toMatchObject({ status: 200 });
}

test.each(['QR code', 'pairing code'] as const)(
  'a link by %s and passkey completes although the worker is killed in the middle',
  async (way) => {
    const { client } = tenant;
    const phone = cluster.simulator.addPhone({ name: 'Anna' });
    phone.demandPasskey({ continueAfterMs: 'never' });
    await client.call('create-session', { body: { ...params, name: 'Shop' } });
    await beginPasskeyLink(tenant, 'shop', { way, phone });
    const first = await makeLink();
    await sign(first, phone);
    await waitFor(
      async () => (await client.call('get-session', { params })).link?.step === 'passkey-signed',
      { what: 'the signature in the session' },
    );

    const owner = await ownerOf(cluster, tenant, 'shop');
    await owner.kill();
    const killedAt = performance.now();
    phone.demandPasskey();
    const again = await waitFor(
      async () => {
        const { link, worker } = await client.call('get-session', { params });
        return worker !== undefined && link?.step === 'qr-shown' && link;
      },
      { what: 'a code of another worker', timeoutMs: 60_000, intervalMs: 50 },
    );
    report('worker-dies-while-passkey-links', { way, newCodeMs: Math.round(performance.now() - killedAt) });
    expect(again.expiresAt).toBeDefined();
    expect(await asHelper(first, 'GET /api/passkey')).not.toMatchObject({ status: 200 });

    await beginPasskeyLink(tenant, 'shop', { way, phone });
    await sign(await makeLink(), phone);
    const session = await waitForStatus(client, 'shop', 'open');
    expect(session.phone).toBe(phone.number);
    expect(phone.devices.size).toBe(1);
    expect(session.link?.problem).toBeUndefined();
  },
);
