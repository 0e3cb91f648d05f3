import { waitFor } from '@wafleet/testkit';
import { generateMessageIDV2 } from '@whiskeysockets/baileys';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from './testing/harness.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  await harness?.stop();
});

async function linked(name: string) {
  const phone = harness.simulator.addPhone({ name });
  const test = await harness.newSession();
  await test.link(phone);
  return { phone, test };
}

function names(events: Awaited<ReturnType<TestSession['events']>>): string[] {
  return events.map(({ event }) => event);
}

describe('linking by QR code', () => {
  it('shows a code while it is good, and then opens', async () => {
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const test = await harness.newSession();
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    await test.status('awaiting_link');
    const offer = await harness.offers.getQr(test.fence);
    expect(offer?.qr).toBe(payload.qr);
    expect(offer && new Date(offer.expiresAt).toISOString()).toBe(payload.expiresAt);

    await phone.scan(String(payload.qr));
    const record = await test.status('open');
    expect(record.phone).toBe(phone.number);
    expect(await harness.offers.getQr(test.fence)).toBeUndefined();

    await test.event('connection.update', '"connection":"connecting"');
    const open = await test.event('connection.update', '"connection":"open"');
    expect(open.payload).toMatchObject({ status: 'open' });
    const credentials = await test.event('creds.update', '"registered":true');
    expect(Object.keys(credentials.payload).sort()).toEqual(
      ['eventId', 'me', 'platform', 'registered', 'sessionId', 'timestamp'].sort(),
    );
    const texts = (await test.events()).filter(({ event }) => event !== 'auth.qr');
    expect(JSON.stringify(texts)).not.toMatch(/advSecret|noiseKey|signedPreKey|KeyShare|InlinePayload/);
  });

  it('is not confirmed to WhatsApp before the credentials are stored', async () => {
    const phone = harness.simulator.addPhone({ name: 'Anton' });
    const test = await harness.newSession();
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    // Another worker owns the session by now, and this one does not know it.
    await harness.takeOver(test.fence, test.fence.worker);
    await expect(phone.scan(String(payload.qr))).rejects.toThrow();
    expect(phone.devices.size).toBe(0);
  });

  it('shows codes round after round, and ends as closed if no phone is linked in time', async () => {
    const test = await harness.newSession({ qrLifeMs: 40, linkPatienceMs: 4_000 });
    await test.session.start();
    const record = await test.status('closed');
    expect(record.reason).toBe('link-timeout');
    expect(await harness.offers.getQr(test.fence)).toBeUndefined();
    await waitFor(() => test.ends.length > 0, { what: 'the end' });
    expect(test.ends).toEqual(['closed']);
    const rounds = (await test.events()).filter(({ payload }) => payload.connection === 'close');
    expect(rounds.length).toBeGreaterThan(1);
  });
});

describe('messages', () => {
  it('come as messages.upsert, in order, and go by sendText', async () => {
    const { phone, test } = await linked('Berta');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    for (const text of ['one', 'two', 'three']) await carl.send(phone, { text });
    await test.event('messages.upsert', '"three"');
    const received = (await test.events())
      .filter(({ event }) => event === 'messages.upsert')
      .flatMap(({ payload }) => payload.messages);
    const contents = JSON.stringify(received);
    expect(contents.indexOf('"one"')).toBeLessThan(contents.indexOf('"two"'));
    expect(contents.indexOf('"two"')).toBeLessThan(contents.indexOf('"three"'));

    const messageId = generateMessageIDV2();
    await test.session.execute('send-text', { to: `+${carl.number}`, text: 'hello Carl', messageId });
    const answer = await carl.waitForMessage(({ text }) => text === 'hello Carl');
    expect(answer.id).toBe(messageId);
    await test.event('messages.upsert', messageId, '"type":"append"');
    await test.event('messages.update', messageId, '"status":');
  });

  it('a revoke also gives messages.delete', async () => {
    const { phone, test } = await linked('Dora');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const sent = await carl.send(phone, { text: 'oops' });
    await test.event('messages.upsert', sent.id);
    await carl.revoke(sent);
    const { payload } = await test.event('messages.delete', sent.id);
    expect(payload.keys).toEqual([expect.objectContaining({ id: sent.id, fromMe: false })]);
  });

  it('are refused for a number that is not on WhatsApp, and while the session is not open', async () => {
    const { test } = await linked('Emil');
    const send = () =>
      test.session.execute('send-text', { to: '19998887777', text: 'hi', messageId: generateMessageIDV2() });
    await expect(send()).rejects.toMatchObject({ code: 'RECIPIENT_NOT_FOUND' });
    await test.session.stop({ reason: 'drain' });
    await expect(send()).rejects.toMatchObject({ code: 'SESSION_NOT_OPEN' });
  });
});

describe('reconnecting', () => {
  it('logs in again without a QR code after a lost connection, and gets what was missed', async () => {
    const { phone, test } = await linked('Fritz');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const qrCodes = names(await test.events()).filter((name) => name === 'auth.qr').length;
    harness.simulator.disconnect(phone, 'tcp');
    const record = await test.status('reconnecting');
    expect(record.reason).toBe('connection-lost');
    await carl.send(phone, { text: 'while you were away' });
    await test.status('open');
    await test.event('messages.upsert', 'while you were away');
    expect(names(await test.events()).filter((name) => name === 'auth.qr')).toHaveLength(qrCodes);
  });

  it('restarts at once when WhatsApp asks for it', async () => {
    const { phone, test } = await linked('Franz');
    harness.simulator.disconnect(phone, { code: 515 });
    await test.event('connection.update', '"restart-required"');
    await test.status('open');
  });

  it('keeps away for a while when another connection has replaced it', async () => {
    const { phone, test } = await linked('Frieda');
    harness.simulator.disconnect(phone, 'replaced');
    expect(await test.status('reconnecting')).toMatchObject({ reason: 'replaced' });
    test.session.discard();
  });

  it('waits for a server that rejects the upgrade', async () => {
    const { phone, test } = await linked('Gerd');
    harness.simulator.rejectUpgrades(503);
    harness.simulator.disconnect(phone, { code: 503 });
    await test.event('connection.update', 'HTTP status 503');
    harness.simulator.resume();
    await test.status('open');
  });

  it('gives up on a server that says nothing, and tries again', async () => {
    harness.simulator.goSilent();
    const test = await harness.newSession({ connectTimeoutMs: 300 });
    await test.session.start();
    await test.event('connection.update', 'did not answer in time');
    harness.simulator.resume();
    await test.status('awaiting_link');
    test.session.discard();
  });
});

describe('a refusal that passes', () => {
  it('of the client as outdated holds up every session, shows in the status, and ends by itself', async () => {
    const { phone, test } = await linked('Gina');
    harness.simulator.refuseLogins(405);
    harness.simulator.disconnect(phone, 'socket');
    await test.event('connection.update', '"statusCode":405');
    expect(await test.status('reconnecting')).toMatchObject({ reason: 'client-outdated' });
    const other = await harness.newSession();
    await other.session.start();
    harness.simulator.resume();
    await test.status('open', 20_000);
    await other.status('awaiting_link', 20_000);
    other.session.discard();
  });

  it('of a ban waits until it is over', async () => {
    const { phone, test } = await linked('Gitta');
    harness.simulator.disconnect(phone, { failure: 402, expiresInSeconds: 3_600 });
    expect(await test.status('reconnecting')).toMatchObject({ reason: 'temporarily-banned' });
    test.session.discard();
  });
});

describe('the end of a link', () => {
  it('on the phone: the keys are gone, and the status of the session is logged_out', async () => {
    const { phone, test } = await linked('Heidi');
    phone.unlink();
    const record = await test.status('logged_out');
    expect(record.reason).toBe('device-removed');
    expect(record.phone).toBeUndefined();
    await waitFor(() => test.ends.length > 0, { what: 'the end' });
    expect(test.ends).toEqual(['logged_out']);

    await harness.ownership.release(test.fence);
    const again = await harness.takeOver(test.fence);
    await again.session.start();
    await again.status('awaiting_link');
    again.session.discard();
  });

  it('by unlink: the device is removed at WhatsApp, and the keys are gone', async () => {
    const { phone, test } = await linked('Ida');
    await test.session.unlink();
    expect((await test.record()).status).toBe('logged_out');
    await waitFor(() => phone.devices.size === 0, { what: 'the phone lists no device' });
  });

  it('by a login that WhatsApp refuses for good: failed, with a reason', async () => {
    const { phone, test } = await linked('Jana');
    harness.simulator.refuseLogins(403, phone);
    harness.simulator.disconnect(phone, 'socket');
    const record = await test.status('failed');
    expect(record.reason).toBe('forbidden');
    await waitFor(() => test.ends.length > 0, { what: 'the end' });
    expect(test.ends).toEqual(['failed']);
    harness.simulator.resume();
  });
});

describe('linking by pairing code', () => {
  it('opens once the phone has entered the code; a wrong code changes nothing', async () => {
    const phone = harness.simulator.addPhone({ name: 'Karl' });
    const test = await harness.newSession();
    await test.session.start();
    await test.event('auth.qr');
    const first = await test.session.execute('pairing-code', { phone: phone.number });
    expect(await harness.offers.getQr(test.fence)).toBeUndefined();
    const second = await test.session.execute('pairing-code', { phone: phone.number });
    expect(second.code).not.toBe(first.code);
    await test.event('auth.pairing-code', second.code, phone.number);
    await expect(phone.enterCode('AAAAAAAA')).rejects.toThrow();

    await phone.enterCode(second.code);
    const record = await test.status('open');
    expect(record.phone).toBe(phone.number);
    await expect(test.session.execute('pairing-code', { phone: phone.number })).rejects.toMatchObject({
      code: 'ALREADY_LINKED',
    });
  });
});

describe('a pairing code that is not entered', () => {
  it('gives way to QR codes when it expires', async () => {
    const phone = harness.simulator.addPhone({ name: 'Kurt' });
    const test = await harness.newSession({ qrLifeMs: 1_000 });
    await test.session.start();
    const { expiresAt } = await test.session.execute('pairing-code', { phone: phone.number });
    expect(await harness.offers.getQr(test.fence)).toBeUndefined();
    const scan = async () => {
      const offer = await harness.offers.getQr(test.fence);
      return offer !== undefined && offer.expiresAt > Date.parse(expiresAt) && phone.scan(offer.qr);
    };
    await waitFor(scan, { what: 'a QR code after the pairing code' });
    await test.status('open');
  });
});

describe('ownership', () => {
  it('a session that was taken over discards itself at its next write, and leaves the new owner alone', async () => {
    const { phone, test } = await linked('Lena');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    const successor = await harness.takeOver(test.fence, test.fence.worker);
    await carl.send(phone, { text: 'who is there' });
    await waitFor(() => test.ends.length > 0, { what: 'the first owner’s end' });
    expect(test.ends).toEqual(['fenced']);

    await successor.session.start();
    await successor.status('open');
    await successor.event('messages.upsert', 'who is there');
    const published = (await successor.events()).filter(({ payload }) =>
      JSON.stringify(payload).includes('who is there'),
    );
    expect(published.filter(({ event }) => event === 'messages.upsert')).toHaveLength(1);
  });

  it('a session that WhatsApp replaces by its successor ends, and does not come back', async () => {
    const { test } = await linked('Lotte');
    const successor = await harness.takeOver(test.fence, test.fence.worker);
    await successor.session.start();
    await successor.status('open');
    await waitFor(() => test.ends.length > 0, { what: 'the first owner’s end' });
    expect(test.ends).toEqual(['fenced']);
    const { reason } = await successor.record();
    expect(reason).toBeUndefined();
  });

  it('a drained session is queued, and its successor opens without a QR code', async () => {
    const { phone, test } = await linked('Mona');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    await test.session.stop({ reason: 'drain' });
    expect(await test.record()).toMatchObject({ status: 'queued', reason: 'drain' });
    expect(test.ends).toEqual([]);
    await carl.send(phone, { text: 'between two workers' });
    await harness.ownership.release(test.fence);

    const successor = await harness.takeOver(test.fence);
    await successor.session.start();
    await successor.status('open');
    await successor.event('messages.upsert', 'between two workers');
  });
});

describe('an outage of Redis', () => {
  it('costs neither the connection nor an event', async () => {
    const { phone, test } = await linked('Nora');
    const carl = harness.simulator.addPhone({ name: 'Carl' });
    await carl.send(phone, { text: 'before the outage' });
    await test.event('messages.upsert', 'before the outage');
    await harness.redisServer.kill();
    await carl.send(phone, { text: 'during the outage' });
    await harness.redisServer.restart();
    await test.event('messages.upsert', 'during the outage');
    const closed = (await test.events()).filter(({ payload }) => payload.connection === 'close');
    // One of them is the restart that follows a link.
    expect(closed).toHaveLength(1);
  });
});
