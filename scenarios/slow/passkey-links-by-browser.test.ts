import { createPrivateKey } from 'node:crypto';
import { type Cluster, startCluster, type TestTenant, waitFor, waitForStatus } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ownerOf } from '../support/owner-process.js';
import { HelperBrowser, type HelperTab } from '../support/passkey-helper/helper-browser.js';
import type { Passkey } from '../support/passkey-helper/passkey.js';
import { WhatsAppPage } from '../support/passkey-helper/whatsapp-page.js';
import { beginPasskeyLink, type LinkWay } from '../support/passkey-link.js';

/**
 * A person links an account that needs a passkey: a real Chromium with the helper extension signs, the edge takes the
 * signature, and WhatsApp's side checks it. The worker is killed while the browser asks; the person begins again on
 * another worker, and the link completes.
 */
const params = { id: 'shop' };
const SIGN = 'Sign with a passkey';

let whatsApp: WhatsAppPage;
let browser: HelperBrowser;
let cluster: Cluster;
let tenant: TestTenant;
let tab: HelperTab | undefined;

beforeAll(async () => {
  whatsApp = await WhatsAppPage.start('');
  browser = await HelperBrowser.start(whatsApp);
});

afterAll(async () => {
  await browser?.stop();
  await whatsApp?.stop();
});

beforeEach(async () => {
  cluster = await startCluster({ workers: 2 });
  tenant = await cluster.addTenant();
});

afterEach(async () => {
  await tab?.close();
  tab = undefined;
  await cluster?.stop();
});

type Phone = ReturnType<Cluster['simulator']['addPhone']>;

/** The passkey of the phone's account, as a password manager of its owner has it. */
function passkeyOf({ passkey }: Phone): Passkey {
  if (passkey === undefined) throw new Error('the account has no passkey');
  const { credentialId, userHandle, privateKey } = passkey.toVirtualCredential();
  const der = Buffer.from(privateKey, 'base64');
  return {
    rpId: 'whatsapp.com',
    credentialId: Buffer.from(credentialId, 'base64'),
    userHandle: Buffer.from(userHandle, 'base64'),
    privateKey: createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }),
  };
}

async function openHelperLink(person: HelperTab): Promise<void> {
  const { url } = await tenant.client.call('create-passkey-link', { params });
  await person.open(url);
  await person.waitForText('WhatsApp asks for your passkey.');
  expect(await person.panelText()).toContain('Shop');
}

test.each<{ way: LinkWay; compares: boolean }>([
  { way: 'QR code', compares: false },
  { way: 'pairing code', compares: true },
])(
  'by $way, the passkey of a browser, and two workers (codes compared: $compares)',
  async ({ way, compares }) => {
    const { client } = tenant;
    const phone = cluster.simulator.addPhone({ name: 'Anna' });
    phone.demandPasskey();
    // A phone whose WhatsApp is not on the screen has its owner compare codes.
    phone.isForeground = !compares;
    await client.call('create-session', { body: { ...params, name: 'Shop' } });
    await beginPasskeyLink(tenant, 'shop', { way, phone });
    tab = await browser.openTab(passkeyOf(phone));
    await openHelperLink(tab);

    const owner = await ownerOf(cluster, tenant, 'shop');
    await owner.kill();
    await waitFor(
      async () => {
        const { link, worker } = await client.call('get-session', { params });
        return worker !== undefined && link?.step === 'qr-shown';
      },
      { what: 'a code of another worker', timeoutMs: 60_000, intervalMs: 50 },
    );
    await tab.waitForText('The request has expired.');

    await beginPasskeyLink(tenant, 'shop', { way, phone });
    await openHelperLink(tab);
    await tab.click(SIGN);
    if (compares) {
      await tab.waitForText('accept it there only if it is this one');
      const code = await waitFor(() => phone.passkeyCode, { what: 'the code on the phone' });
      expect(await tab.panelText()).toContain(code);
      await phone.acceptPasskeyCode(code);
    }
    await tab.waitForText('Done: the device is linked.');
    const session = await waitForStatus(client, 'shop', 'open');
    expect(session.phone).toBe(phone.number);
    expect(session.link?.problem).toBeUndefined();
    expect(phone.devices.size).toBe(1);
  },
);
