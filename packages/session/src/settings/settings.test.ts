import type { SessionSettings } from '@wafleet/contract';
import { type Phone, sendWithSecret, statusBroadcast } from '@wafleet/simulator';
import { ReplyBox } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let count = 0;

beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

type Changes = {
  [Group in keyof SessionSettings]?: Partial<SessionSettings[Group]> | SessionSettings[Group];
};

async function change({ session, fence }: TestSession, settings: Changes): Promise<void> {
  await harness.storeSettings(fence, settings);
  await session.execute('settings-changed', {});
}

function people(): { alice: Phone; bob: Phone; carl: Phone } {
  count += 1;
  const phone = (name: string, group: number) =>
    harness.simulator.addPhone({ name, number: `49${group}000000${100 + count}` });
  return { alice: phone('Alice', 151), bob: phone('Bob', 152), carl: phone('Carl', 153) };
}

async function linked(settings: Changes = {}) {
  const all = people();
  const test = await harness.newSession();
  await harness.storeSettings(test.fence, settings);
  await test.link(all.alice);
  const [device] = all.alice.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  return { ...all, test, device };
}

/** A session that shows a pairing code for a phone. */
async function shownCode() {
  const { alice } = people();
  const test = await harness.newSession();
  await test.session.start();
  const { code } = await test.session.execute('pairing-code', { phone: alice.number });
  return { alice, test, code };
}

async function typed(test: TestSession): Promise<void> {
  await waitFor(async () => (await test.record()).link?.step === 'code-entered', { what: 'a typed code' });
}

/** The texts of the messages that were published after the one with this text, which comes last. */
async function textsUntil(test: TestSession, last: string): Promise<string[]> {
  await test.event('messages.upsert', last);
  return (await test.events())
    .filter(({ event }) => event === 'messages.upsert')
    .flatMap(({ payload }) => JSON.stringify(payload).match(/"conversation":"[^"]+"/g) ?? [])
    .map((text) => text.slice(16, -1));
}

describe('device', () => {
  it('is what the phone lists, and the default without a setting', async () => {
    const { device } = await linked({ device: { name: 'Till 3', platform: 'desktop' } });
    expect(device).toMatchObject({ os: 'Till 3', platform: 'DESKTOP' });
    const other = await linked();
    expect(other.device).toMatchObject({ os: 'Mac OS', platform: 'CHROME', wantsFullHistory: false });
  });

  it('that changes while a QR code is shown is that of the next code', async () => {
    const { alice } = people();
    const test = await harness.newSession();
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    await change(test, { device: { name: 'Till 4' } });
    const next = await waitFor(
      async () => {
        const qrs = (await test.events()).filter(({ event }) => event === 'auth.qr');
        return qrs.map((qr) => String(qr.payload.qr)).find((qr) => qr !== payload.qr);
      },
      { what: 'another QR code' },
    );
    await expect(alice.scan(String(payload.qr))).rejects.toThrow();
    await alice.scan(next);
    await test.status('open');
    expect([...alice.devices.values()]).toMatchObject([{ os: 'Till 4' }]);
  });

  it('that changes after a pairing code was typed waits for the link', async () => {
    const { alice, test, code } = await shownCode();
    let goOn = () => {};
    const linking = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const outcome = alice.enterCode(code, { linking });
    await typed(test);
    await change(test, { device: { name: 'Till 6' }, history: 'full' });
    expect((await test.record()).link).toMatchObject({ step: 'code-entered' });
    goOn();
    await outcome;
    await test.status('open');
    expect([...alice.devices.values()]).toMatchObject([{ os: 'Mac OS', wantsFullHistory: false }]);
    expect((await test.record()).link?.problem).toBeUndefined();
  });

  it('that changes after a wrong pairing code was typed is that of the next code', async () => {
    const { alice, test } = await shownCode();
    harness.simulator.withholdAnswers('link_code_companion_reg');
    const outcome = expect(alice.enterCode('AAAAAAAA')).rejects.toThrow();
    await typed(test);
    await change(test, { device: { name: 'Till 7' } });
    expect((await test.record()).link).toMatchObject({ step: 'code-entered' });
    await outcome;
    harness.simulator.resume();
    const { qr } = await waitFor(() => harness.offers.getQr(test.fence), { what: 'another QR code' });
    expect((await test.record()).link?.problem?.code).toBe('refused');
    await alice.scan(qr);
    await test.status('open');
    expect([...alice.devices.values()]).toMatchObject([{ os: 'Till 7' }]);
  });

  it('that changes while the session is open leaves the connection alone', async () => {
    const { test, device } = await linked();
    await change(test, { device: { name: 'Till 5' } });
    await change(test, { device: { name: 'Till 5' }, history: 'full' });
    expect(test.session.status).toBe('open');
    expect(device).toMatchObject({ os: 'Mac OS', isOnline: true });
    expect(device.loginRecord.logins).toBe(1);
  });
});

describe('history', () => {
  it.each([
    ['none', []],
    ['recent', [0]],
    ['full', [0, 2]],
  ] as const)('%s is published as such', async (history, types) => {
    const { alice, bob, carl } = people();
    alice.history.remember(bob, { sender: bob, message: { conversation: 'long ago' } });
    const test = await harness.newSession();
    await harness.storeSettings(test.fence, { history });
    await test.link(alice);
    expect([...alice.devices.values()]).toMatchObject([{ wantsFullHistory: history === 'full' }]);
    await waitFor(() => [...alice.devices.values()].every(({ pendingCount }) => pendingCount === 0), {
      what: 'everything is acknowledged',
    });
    await carl.send(alice, 'now');
    await test.event('messages.upsert', 'now');
    const parts = (await test.events()).filter(
      ({ event, payload }) => event === 'messages.upsert' && payload.history === true,
    );
    const known = parts.map(({ payload }) => JSON.stringify(payload.sync).match(/"type":(\d)/)?.[1]);
    expect([...new Set(known)].map(Number)).toEqual(types);
    const others = (await test.events()).filter(({ payload }) => payload.history === true);
    expect(others.length > 0).toBe(history !== 'none');
  });
});

describe('ignored chats', () => {
  it('are left out, each kind by itself, and come back', async () => {
    const { test, alice, bob, carl } = await linked();
    const group = await bob.createGroup('Team', [alice, carl]);
    await carl.send(group, 'group 1');
    await test.event('messages.upsert', 'group 1');

    await change(test, { ignore: { groups: true } });
    await carl.send(group, 'group 2');
    await bob.send(alice, 'person 1');
    expect(await textsUntil(test, 'person 1')).toEqual(['group 1', 'person 1']);
    group.setSubject(bob, 'Not seen');

    await change(test, { ignore: { statuses: true } });
    await carl.send(group, 'group 3');
    await bob.send(statusBroadcast, 'status 1', { audience: [alice] });
    await bob.send(alice, 'person 2');
    expect(await textsUntil(test, 'person 2')).toEqual(['group 1', 'person 1', 'group 3', 'person 2']);

    await change(test, {});
    await bob.send(statusBroadcast, 'status 2', { audience: [alice] });
    await bob.send(alice, 'person 3');
    expect((await textsUntil(test, 'person 3')).slice(-2)).toEqual(['status 2', 'person 3']);
    expect(JSON.stringify(await test.events())).not.toContain('Not seen');
  });

  it('may be single people, by either id, with receipts, reactions, presence and chats', async () => {
    const { test, alice, bob, carl } = await linked();
    const sent = await bob.send(alice, 'bob 1');
    await test.event('messages.upsert', 'bob 1');
    await change(test, { ignore: { chats: [bob.jid] } });
    const before = (await test.events()).length;
    await bob.send(alice, 'bob 2');
    await bob.react(sent, '👍');
    await bob.edit(sent, { conversation: 'bob 1, edited' });
    await sendWithSecret(bob, alice, { conversation: 'bob 3' });
    bob.showState(alice, 'composing');
    await alice.settings.archiveChat(bob, true);
    bob.call(alice).timeOut();
    await carl.send(alice, 'carl 1');
    await test.event('messages.upsert', 'carl 1');
    const published = (await test.events()).slice(before);
    const named = published.filter(({ payload }) => {
      const json = JSON.stringify(payload);
      return json.includes(bob.jid) || json.includes(bob.lid);
    });
    expect(named.filter(({ event }) => event !== 'contacts.update')).toEqual([]);
    const [device] = alice.devices.values();
    await waitFor(() => device?.pendingCount === 0, { what: 'everything is acknowledged' });

    await change(test, { ignore: { chats: [bob.lid] } });
    await bob.send(alice, 'bob 4');
    await carl.send(alice, 'carl 2');
    await test.event('messages.upsert', 'carl 2');
    await change(test, {});
    await bob.send(alice, 'bob 5');
    expect((await textsUntil(test, 'bob 5')).slice(-2)).toEqual(['carl 2', 'bob 5']);
  });
});

describe('online', () => {
  const presence = (phone: Phone) => harness.simulator.presence.of(phone).type;

  it('shows the account as online, from the first login and live', async () => {
    const { test, alice, device } = await linked({ online: true });
    await waitFor(() => device.available, { what: 'the account is online' });
    expect(presence(alice)).toBe('available');
    await change(test, { online: false });
    await waitFor(() => !device.available, { what: 'the account is not online' });
    await change(test, { online: true });
    await waitFor(() => device.available, { what: 'the account is online again' });
    expect(device.loginRecord.logins).toBe(1);
  });

  it('is off without a setting', async () => {
    const { alice, device } = await linked();
    expect(device.available).toBe(false);
    expect(presence(alice)).toBe('unavailable');
  });

  it('holds after a reconnect', async () => {
    const { test, device } = await linked();
    await change(test, { online: true });
    await waitFor(() => device.available, { what: 'the account is online' });
    harness.simulator.disconnect(device, { code: 503 });
    await waitFor(() => !device.available, { what: 'the connection is lost' });
    await waitFor(() => device.available, { what: 'the account is online again', timeoutMs: 30_000 });
  });
});

describe('automatic read receipts', () => {
  const readBy = (sender: Phone) =>
    sender.inbox.receipts.filter(({ type }) => type === 'read').flatMap(({ ids }) => ids);

  it('go to the senders of messages, in groups too, and of statuses only if that is set', async () => {
    const { test, alice, bob } = await linked({ autoRead: true });
    const group = await bob.createGroup('Team', [alice]);
    const { id: first } = await bob.send(alice, 'one');
    const { id: second } = await bob.send(group, 'two');
    const { id: status } = await bob.send(statusBroadcast, 'status', { audience: [alice] });
    await waitFor(() => readBy(bob).length >= 2, { what: 'two read receipts' });
    expect(new Set(readBy(bob))).toEqual(new Set([first, second]));
    expect((await test.events()).some(({ payload }) => JSON.stringify(payload).includes(second))).toBe(true);

    // Otherwise the setting could hold for this status already.
    await test.event('messages.upsert', status);
    await change(test, { autoReadStatuses: true });
    const { id: third } = await bob.send(alice, 'three');
    const { id: seen } = await bob.send(statusBroadcast, 'status', { audience: [alice] });
    await waitFor(() => readBy(bob).includes(seen), { what: 'the status is seen' });
    expect(readBy(bob)).not.toContain(third);
    expect(readBy(bob)).not.toContain(status);
  });

  it('wait until WhatsApp says whether the account sends any', async () => {
    harness.simulator.refuseRequests('privacy', 500);
    const { test, alice, bob } = await linked({ autoRead: true });
    const { id: first } = await bob.send(alice, 'one');
    await test.event('messages.upsert', 'one');
    expect(readBy(bob)).toEqual([]);
    harness.simulator.resume();
    const { id: second } = await bob.send(alice, 'two');
    await waitFor(() => readBy(bob).includes(second), { what: 'the messages are read' });
    expect(readBy(bob)).toContain(first);
  });

  it('do not go to chats that are ignored', async () => {
    const { test, alice, bob, carl } = await linked({ autoRead: true, ignore: { groups: true } });
    const group = await bob.createGroup('Team', [alice]);
    const { id: ignored } = await bob.send(group, 'one');
    const { id } = await carl.send(alice, 'two');
    await test.event('messages.upsert', 'two');
    await waitFor(() => readBy(carl).includes(id), { what: 'the message is read' });
    expect(readBy(bob)).not.toContain(ignored);
  });

  it('are not sent for what still waits when they are switched off', async () => {
    harness.simulator.refuseRequests('privacy', 500);
    const { test, alice, bob } = await linked({ autoRead: true });
    const { id: first } = await bob.send(alice, 'one');
    await test.event('messages.upsert', 'one');
    await change(test, { autoRead: false, autoReadStatuses: true });
    harness.simulator.resume();
    const { id: status } = await bob.send(statusBroadcast, 'status', { audience: [alice] });
    await waitFor(() => readBy(bob).includes(status), { what: 'the status is seen' });
    expect(readBy(bob)).not.toContain(first);
  });

  it('are sent for what waited while the session was away', async () => {
    const { alice, bob, device } = await linked({ autoRead: true });
    harness.simulator.disconnect(device, { code: 503 });
    const { id } = await bob.send(alice, 'meanwhile');
    await waitFor(() => readBy(bob).includes(id), { what: 'the message is read', timeoutMs: 30_000 });
    expect(alice.received.map(({ text }) => text)).toEqual(['meanwhile']);
  });
});

describe('calls', () => {
  it('are rejected as set, and the caller gets one message', async () => {
    const { test, alice, bob, carl } = await linked({
      calls: { reject: 'direct', message: 'Please write.' },
    });
    const first = bob.call(alice);
    expect(await first.settled()).toBe('rejected');
    await bob.waitForMessage(({ text }) => text === 'Please write.');
    await test.event('call', first.id, '"status":"offer"');
    expect(await bob.call(alice).settled()).toBe('rejected');
    expect(await carl.call(alice).settled()).toBe('rejected');
    await carl.waitForMessage(({ text }) => text === 'Please write.');
    expect(bob.received).toHaveLength(1);

    const group = await bob.createGroup('Team', [alice]);
    const inGroup = bob.call(alice, { group: group.jid });
    await test.event('call', inGroup.id);
    expect(inGroup.state).toBe('ringing');
    await change(test, { calls: { reject: 'group', message: 'Please write.' } });
    expect(await bob.call(alice, { group: group.jid }).settled()).toBe('rejected');
    const rings = carl.call(alice);
    await test.event('call', rings.id);
    expect(rings.state).toBe('ringing');
    expect(bob.received).toHaveLength(1);
  });

  it('ring without a setting', async () => {
    const { test, alice, bob } = await linked();
    const call = bob.call(alice);
    await test.event('call', call.id);
    expect(call.state).toBe('ringing');
  });
});

describe('a session whose proxy cannot be read', () => {
  it('never connects without it', async () => {
    const test = await harness.newSession();
    await harness.damageSettings(test.fence);
    // Sessions of earlier tests may still be closing their connections.
    const begunAt = Date.now();
    await test.session.start();
    expect(await test.status('failed')).toMatchObject({ reason: 'proxy-unreadable' });
    await waitFor(() => test.ends.length > 0, { what: 'the end of the session' });
    expect(test.ends).toEqual(['failed']);
    expect(harness.simulator.arrivals.since(begunAt)).toEqual([]);
  });

  it('closes its connection', async () => {
    const { test, device } = await linked();
    await harness.damageSettings(test.fence);
    await test.session.execute('settings-changed', {});
    expect(await test.status('failed')).toMatchObject({ reason: 'proxy-unreadable' });
    await waitFor(() => !device.isOnline, { what: 'the connection is closed' });
  });

  it('hands no file out that would be fetched without it', async () => {
    const { test, alice, bob } = await linked();
    const { id } = await bob.sendMedia(alice, { kind: 'image', data: Buffer.from('a picture') });
    await test.event('messages.upsert', id);
    await harness.ownership.release(test.fence);
    await harness.storeSettings(test.fence, {}, 'http://ann:top-secret@127.0.0.1:1');
    const next = await harness.takeOver(test.fence);
    const box = new ReplyBox();
    const answer = await next.session.execute('find-media', { messageId: id, replyKey: box.publicKey });
    expect(answer.proxy).toEqual(expect.any(String));
    await harness.damageSettings(test.fence);
    const last = await harness.takeOver(test.fence, next.fence.worker);
    await expect(last.session.execute('find-media', { messageId: id })).rejects.toMatchObject({
      code: 'MEDIA_UNAVAILABLE',
    });
  });
});

it('a change whose announcement was lost takes effect with the next connection', async () => {
  const { test, alice, bob, device } = await linked();
  await harness.storeSettings(test.fence, { online: true, calls: { reject: 'all' } });
  harness.simulator.disconnect(device, { code: 503 });
  await waitFor(() => device.available, { what: 'the account is online', timeoutMs: 30_000 });
  expect(await bob.call(alice).settled()).toBe('rejected');
});

it('a change whose announcement was lost with Redis takes effect when Redis is back', async () => {
  const { test, device } = await linked();
  test.session.setStorage('away');
  await harness.storeSettings(test.fence, { online: true });
  test.session.setStorage('reachable');
  await waitFor(() => device.available, { what: 'the account is online' });
  expect(device.loginRecord.logins).toBe(1);
});
