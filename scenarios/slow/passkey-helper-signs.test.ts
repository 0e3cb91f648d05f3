import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HelperBrowser, type HelperTab } from '../support/passkey-helper/helper-browser.js';
import { HOSTILE_SCRIPT } from '../support/passkey-helper/hostile-script.js';
import { createPasskey } from '../support/passkey-helper/passkey.js';
import { TokenCalls } from '../support/passkey-helper/token-calls.js';
import { WhatsAppPage } from '../support/passkey-helper/whatsapp-page.js';

/** The browser extension in a real Chromium, with a virtual authenticator and a page in the place of WhatsApp Web. */
const passkey = createPasskey();
const code = 'PYSL-SH11';
const ASKED = 'WhatsApp asks for your passkey.';
const SIGN = 'Sign with a passkey';
/** In the page: whether the browser paints it, which takes far less than five seconds. */
const PAINTED = `new Promise((resolve) => {
  requestAnimationFrame(() => resolve('painted'));
  setTimeout(resolve, 5_000, 'blank');
})`;

let whatsApp: WhatsAppPage;
let browser: HelperBrowser;
let calls: TokenCalls;
let tab: HelperTab;

beforeAll(async () => {
  whatsApp = await WhatsAppPage.start(HOSTILE_SCRIPT);
  browser = await HelperBrowser.start(whatsApp);
});
afterAll(async () => {
  await browser?.stop();
  await whatsApp?.stop();
});
afterEach(async () => {
  await tab?.close();
  await calls?.stop();
  expect(calls.refusedOrigins).toEqual([]);
});

/** A server that asks for a signature, and a tab of a person who can sign. */
async function setUp({ isCodeOptional = false, hasPasskey = true } = {}) {
  calls = await TokenCalls.start(passkey, { code, isCodeOptional });
  tab = await browser.openTab(hasPasskey ? passkey : undefined);
}

/** What the script of WhatsApp's page has received, over all pages of the tab. */
async function hostileScript() {
  const [runs, received] = [
    await tab.evaluate('sessionStorage.ran'),
    await tab.evaluate('sessionStorage.received'),
  ];
  return { runs: Number(runs ?? 0), received: received ?? '' };
}

test('a person signs, compares the codes and is done', async () => {
  await setUp();
  await tab.open(calls.link());
  await tab.waitForText(ASKED);
  expect(tab.url).toBe('https://web.whatsapp.com/');
  expect(await tab.panelText()).toContain(calls.label);
  expect(await tab.panelText()).toContain(calls.host);
  expect(await tab.accessibleParts()).toEqual([
    'main Wafleet passkey helper',
    'heading Wafleet passkey helper',
    'status',
    `button ${SIGN}`,
    'button Cancel',
  ]);
  // A page that was merely stopped has all of this, and shows nothing.
  expect(await tab.evaluate(PAINTED)).toBe('painted');

  await tab.click(SIGN);
  await tab.waitForText('Compare the code with the one on your phone.');
  expect(await tab.panelText()).toContain(code);
  await tab.click('The codes match');
  await tab.waitForText('Your phone finishes the link.');
  calls.finish();
  await tab.waitForText('Done: the device is linked.');
  expect(calls.writes).toEqual(['POST /api/passkey/assertion 200', 'POST /api/passkey/confirmation 200']);
  expect(await hostileScript()).toEqual({ runs: 0, received: '' });
});

test('a code that need not be compared is shown, and the phone finishes', async () => {
  await setUp({ isCodeOptional: true });
  await tab.open(calls.link());
  await tab.click(SIGN);
  await tab.waitForText('Your phone finishes the link.');
  expect(await tab.panelText()).toContain(code);
  expect((await tab.accessibleParts()).filter((part) => part.startsWith('button'))).toEqual([]);
  calls.finish();
  await tab.waitForText('Done: the device is linked.');
  expect(calls.writes).toEqual(['POST /api/passkey/assertion 200']);
});

test('codes that do not match end the link', async () => {
  await setUp();
  await tab.open(calls.link());
  await tab.click(SIGN);
  await tab.click('They do not match');
  await tab.waitForText('Stopped: the codes do not match.');
  expect(calls.hasEnded).toBe(true);
});

test('a request that expires cannot be signed any more', async () => {
  await setUp();
  await tab.open(calls.link());
  await tab.waitForText(ASKED);
  calls.expire();
  await tab.waitForText('The request has expired.');
  expect(await tab.panelText()).not.toContain(SIGN);
  expect(calls.writes).toEqual([]);
});

test('a wrong token is tried once', async () => {
  await setUp();
  await tab.open(calls.link({ token: 'A'.repeat(43) }));
  await tab.waitForText('This link is not valid, or not valid any more.');
  expect(calls.calls).toEqual(['GET /api/passkey 401']);
});

test('a link whose server others could read is refused', async () => {
  await setUp();
  await tab.open(calls.link({ apiUrl: 'http://wafleet.example.com' }));
  await tab.waitForText('This link is damaged, or its server does not use https.');
  expect(tab.url).toBe('https://web.whatsapp.com/');
});

test('a person without a passkey learns it, and can try again', async () => {
  await setUp({ hasPasskey: false });
  await tab.open(calls.link());
  await tab.click(SIGN);
  await tab.waitForText('No passkey was used.');
  const { length } = calls.calls;
  await waitFor(() => calls.calls.length > length + 1, { what: 'the panel asks again' });
  expect(await tab.panelText()).toContain('No passkey was used.');

  await tab.addPasskey(passkey);
  await tab.click('Try again');
  await tab.waitForText('Compare the code');
  expect(calls.writes).toEqual(['POST /api/passkey/assertion 200']);
});

test('a person who cancels sends nothing', async () => {
  await setUp();
  await tab.open(calls.link());
  await tab.click('Cancel');
  await tab.waitForText('Cancelled.');
  expect(calls.writes).toEqual([]);
  const { length } = calls.calls;
  await tab.open(calls.link());
  await tab.waitForText(ASKED);
  expect(calls.calls.slice(length)).toEqual(['GET /api/passkey 200']);
});

test('hostile scripts of a page in which the link is opened get nothing', async () => {
  await setUp();
  await tab.open('https://web.whatsapp.com/');
  await waitFor(async () => (await hostileScript()).runs === 1, { what: 'the page has run' });
  expect(await tab.panelText()).toBe('');
  // The same page with another fragment: the browser loads nothing.
  await tab.open(calls.link());
  await tab.waitForText(ASKED);
  await tab.click(SIGN);
  await tab.waitForText('Compare the code');
  expect(calls.writes).toEqual(['POST /api/passkey/assertion 200']);
  expect(await hostileScript()).toEqual({ runs: 1, received: '' });
});
