import { type Cluster, type TestTenant, waitFor } from '@wafleet/testkit';

/** How a phone reads the code of a session. */
export type LinkWay = 'QR code' | 'pairing code';

type Phone = ReturnType<Cluster['simulator']['addPhone']>;

/** Lets the phone read the code of the session, and resolves when WhatsApp demands the passkey of its account. */
export async function beginPasskeyLink(
  { client }: TestTenant,
  id: string,
  { way, phone }: { way: LinkWay; phone: Phone },
): Promise<void> {
  const params = { id };
  const read = async () => {
    // Both promises settle at the end of the link, which may fail: the tests look at the session.
    if (way === 'QR code') {
      const { qr } = await client.call('get-qr', { params });
      phone.scan(qr).catch(() => {});
    } else {
      const { code } = await client.call('pairing-code', { params, body: { phone: phone.number } });
      phone.enterCode(code).catch(() => {});
    }
    return true;
  };
  await waitFor(read, { what: `a ${way}`, timeoutMs: 60_000, intervalMs: 100 });
  const request = async () => (await client.call('get-passkey', { params })).options !== undefined;
  await waitFor(request, { what: 'the request for a passkey', timeoutMs: 30_000, intervalMs: 50 });
}
