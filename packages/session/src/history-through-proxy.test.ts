import { AddressRules } from '@wafleet/egress';
import { proxyForTest } from '@wafleet/egress/testing';
import type { Phone } from '@wafleet/simulator';
import { type TestProxy, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Harness, type TestSession } from './testing/harness.js';

const proxyRules = AddressRules.parse('127.0.0.1');
let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start({ syncsByFile: true });
});

afterAll(() => harness?.stop());

function newProxy(): Promise<TestProxy> {
  return proxyForTest({ kind: 'http', names: { 'mmg.whatsapp.net:443': harness.simulator.host } });
}

interface Scene {
  readonly proxy: TestProxy;
  readonly anna: Phone;
  readonly session: TestSession;
}

/** A session that is open through a proxy and has fetched all that was shared at the link. */
async function scene(): Promise<Scene> {
  const proxy = await newProxy();
  const anna = harness.simulator.addPhone({ name: 'Anna' });
  const ca = await harness.simulator.certificate();
  const session = await harness.newSession({ ca }, { proxy: proxy.url(), proxyRules });
  await session.link(anna);
  const [device] = anna.devices.values();
  const isDone = async () =>
    device?.pendingCount === 0 && (await isNothingUnfinished(session)) && proxy.connections === 1;
  await waitFor(isDone, { what: 'the end of the first parts' });
  return { proxy, anna, session };
}

async function isNothingUnfinished({ fence }: TestSession): Promise<boolean> {
  return (await harness.fieldsOf(fence, 'inbox:')).length === 0;
}

async function sharePart(anna: Phone): Promise<void> {
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  anna.history.remember(carl, { sender: carl, message: { conversation: 'long ago' } });
  await anna.history.share({ kind: 'RECENT', chunkOrder: 2 });
}

/** The phone shares a part of its history, whose download the proxy holds up. Resolves when that has begun. */
async function shareHeldUp({ proxy, anna }: Scene): Promise<void> {
  proxy.setFault('silent');
  await sharePart(anna);
  await waitFor(() => proxy.connections === 2, { what: 'the download' });
  const [device] = anna.devices.values();
  await waitFor(() => device?.pendingCount === 0, { what: 'the part acknowledged' });
}

async function expectOnce(session: TestSession): Promise<void> {
  await session.event('messages.upsert', 'long ago');
  await waitFor(() => isNothingUnfinished(session), { what: 'nothing left unfinished' });
  const published = (await session.events()).filter(({ payload }) =>
    JSON.stringify(payload).includes('long ago'),
  );
  expect(published).toHaveLength(1);
}

test('a part of the history that is being fetched when the proxy changes comes through the next one', async () => {
  const begunAt = Date.now();
  const at = await scene();
  await shareHeldUp(at);
  const next = await newProxy();
  await at.session.setProxy(next.url());
  await expectOnce(at.session);
  expect(next.targets).toContain('mmg.whatsapp.net:443');
  const origins = harness.simulator.arrivals.since(begunAt).map(({ from }) => from);
  expect(new Set(origins)).toEqual(new Set(['127.0.0.2']));
  at.session.session.discard();
});

test('a part of the history that is being fetched when the proxy dies comes when it is back', async () => {
  const at = await scene();
  await shareHeldUp(at);
  at.proxy.setFault(undefined);
  await at.proxy.stop();
  await at.session.status('reconnecting');
  await at.proxy.start();
  await expectOnce(at.session);
  at.session.session.discard();
});

test('a part of the history that the proxy did not let through is fetched again over the same connection', async () => {
  const { proxy, anna, session } = await scene();
  const [device] = anna.devices.values();
  const logins = device?.loginRecord.logins;
  const asked = proxy.targets.length;
  proxy.setFault(403);
  await sharePart(anna);
  await waitFor(() => proxy.targets.length > asked, { what: 'the download refused' });
  proxy.setFault(undefined);
  await expectOnce(session);
  expect(device?.loginRecord.logins).toBe(logins);
  session.session.discard();
});
