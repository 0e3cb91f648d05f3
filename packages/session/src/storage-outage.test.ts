import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness } from './testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

/** A linked session, its device at WhatsApp, and a person who writes to it. */
async function scene(name: string) {
  const phone = harness.simulator.addPhone({ name });
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const test = await harness.newSession();
  await test.link(phone);
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  await carl.send(phone, { text: 'the first message' });
  await test.event('messages.upsert', 'the first message');
  await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged' });

  const texts = async () => {
    const events = await test.events();
    return events
      .filter(({ event }) => event === 'messages.upsert')
      .map(({ payload }) => JSON.stringify(payload))
      .flatMap((json) => /"conversation":"([^"]*)"/.exec(json)?.[1] ?? []);
  };
  return { phone, carl, test, device, texts };
}

it('a message that cannot be stored is not acknowledged, and comes again when Redis is back', async () => {
  const { phone, carl, test, device, texts } = await scene('Anna');
  const { logins } = device.loginRecord;
  await harness.redisServer.kill();
  await carl.send(phone, { text: 'during the outage' });
  await carl.send(phone, { text: 'and another' });
  await waitFor(() => device.pendingCount === 2, { what: 'both at the socket' });
  test.session.setStorage('away');
  await carl.send(phone, { text: 'unread' });
  expect(device.pendingCount).toBe(3);

  await harness.redisServer.restart();
  test.session.setStorage('reachable');
  await test.event('messages.upsert', 'unread');
  expect(await texts()).toEqual(['the first message', 'during the outage', 'and another', 'unread']);
  await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged' });
  expect(device.loginRecord.logins).toBe(logins);
});

it('a session reads nothing while storage is away, even if another part resumes the socket', async () => {
  const { phone, carl, test, device } = await scene('Berta');
  const other = await scene('Berthold');
  test.session.setStorage('away');
  const long = 'x'.repeat(60_000);
  for (let count = 0; count < 5; count++) await carl.send(phone, { text: long });
  await carl.send(phone, { text: 'the last one' });
  const before = (await test.events()).length;
  expect(device.pendingCount).toBe(6);
  // Redis works the whole time: another session reads, stores and acknowledges a message that was sent later.
  await other.carl.send(other.phone, { text: 'to somebody who reads' });
  await other.test.event('messages.upsert', 'to somebody who reads');
  await waitFor(() => other.device.pendingCount === 0, { what: 'the other’s acknowledged' });
  expect(device.pendingCount).toBe(6);
  expect(await test.events()).toHaveLength(before);

  test.session.setStorage('reachable');
  await test.event('messages.upsert', 'the last one');
  await waitFor(() => device.pendingCount === 0, { what: 'everything acknowledged' });
});

it('a session closes its socket when Redis is gone for long, and opens the next one when Redis is back', async () => {
  const { phone, carl, test, device, texts } = await scene('Carla');
  const { logins } = device.loginRecord;
  await harness.redisServer.kill();
  await carl.send(phone, { text: 'during the outage' });
  test.session.setStorage('away');
  test.session.setStorage('gone');
  await waitFor(() => !device.isOnline, { what: 'the socket is closed' });
  expect(test.session.status).toBe('reconnecting');
  expect(device.pendingCount).toBe(1);
  await carl.send(phone, { text: 'sent while Redis is gone' });

  await harness.redisServer.restart();
  expect(device.loginRecord.logins).toBe(logins);
  test.session.setStorage('reachable');
  await test.event('messages.upsert', 'sent while Redis is gone');
  await test.status('open');
  expect(await texts()).toEqual(['the first message', 'during the outage', 'sent while Redis is gone']);
  expect(device.loginRecord.logins).toBe(logins + 1);
});

it('a message that the fence refused to store is left to the new owner, unacknowledged', async () => {
  const { phone, carl, test, device, texts } = await scene('Dora');
  const successor = await harness.takeOver(test.fence, test.fence.worker);
  await carl.send(phone, { text: 'who is there' });
  await waitFor(() => test.ends.length > 0, { what: 'the first owner’s end' });
  expect(test.ends).toEqual(['fenced']);
  await waitFor(() => !device.isOnline, { what: 'the socket is closed' });
  expect(device.pendingCount).toBe(1);

  await successor.session.start();
  await successor.event('messages.upsert', 'who is there');
  expect(await texts()).toEqual(['the first message', 'who is there']);
});

it('a Signal record that cannot be opened sets the session to failed, and does not affect other sessions', async () => {
  const { phone, carl, test } = await scene('Emilie');
  const other = await scene('Frieda');
  await harness.damageSignalSessions(test.fence);
  // No cache holds this session's records here, so the next message reads them.
  await carl.send(phone, { text: 'unreadable' });
  const record = await test.status('failed');
  expect(record.reason).toBe('credentials-unreadable');
  await waitFor(() => test.ends.length > 0, { what: 'the end' });
  expect(test.ends).toEqual(['failed']);

  await other.carl.send(other.phone, { text: 'all is well here' });
  await other.test.event('messages.upsert', 'all is well here');
});
