import type { SessionSettings } from '@wafleet/contract';
import { type Phone, sharePrivacyToken } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../../testing/harness.js';

let harness: Harness;
let people = 0;
let messages = 0;

beforeAll(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.simulator.resume());
afterAll(() => harness.stop());

function person(name: string): Phone {
  people += 1;
  return harness.simulator.addPhone({ name, number: `4916${String(people).padStart(8, '0')}` });
}

async function linked(pacing: Partial<SessionSettings['pacing']> = {}) {
  const alice = person('Alice');
  const bob = person('Bob');
  const test = await harness.newSession();
  await harness.storeSettings(test.fence, { pacing });
  await test.link(alice);
  const limits = harness.simulator.limits.of(alice);
  return { alice, bob, test, limits };
}

/** Somebody who has given the account a token of trust. */
async function friendOf(alice: Phone, test: TestSession): Promise<Phone> {
  const friend = person('Friend');
  sharePrivacyToken(friend, alice);
  await waitFor(async () => (await harness.fieldsOf(test.fence, `tctoken:${friend.lid}`)).length > 0, {
    what: 'the token of the friend',
  });
  return friend;
}

function send({ session }: TestSession, to: Phone, text: string) {
  messages += 1;
  const messageId = `3EB1${String(messages).padStart(8, '0')}`;
  return session.execute('send-text', { to: to.jid, text, messageId });
}

const read = ({ session }: TestSession) => session.execute('get-restrictions', {});
const refusedWith = (code: string) => ({ code });

async function eventsOf(test: TestSession, field: string) {
  return (await test.events()).filter(({ payload }) => field in payload).map(({ payload }) => payload[field]);
}

describe('a message that WhatsApp refuses', () => {
  it('because the account is locked, says until when, while chats of trust go on', async () => {
    const { alice, bob, test, limits } = await linked({ pauseAfter: 0 });
    const friend = await friendOf(alice, test);
    limits.lock(1_900_000_000);
    await test.event('connection.update', 'reachoutTimeLock', 'WEB_COMPANION_ONLY');
    await expect(send(test, bob, 'hi')).rejects.toMatchObject({
      code: 'ACCOUNT_RESTRICTED',
      status: 409,
      details: {
        code: 463,
        messageId: expect.stringContaining('3EB1'),
        until: new Date(1_900_000_000_000).toISOString(),
      },
    });
    await send(test, friend, 'hi');
    // Without a pause, each message is left to WhatsApp.
    await expect(send(test, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    limits.unlock();
    await send(test, bob, 'at last');
    expect((await bob.waitForMessage(() => true, { timeoutMs: 30_000 })).text).toBe('at last');
  });

  it('because of its addressing is sent once more, under its id, and no event says that it failed', async () => {
    const { alice, bob, test } = await linked();
    harness.simulator.refuseMessages(479, alice, { count: 1 });
    const { messageId } = await send(test, bob, 'again');
    await test.event('messages.upsert', messageId);
    expect((await bob.waitForMessage(() => true, { timeoutMs: 30_000 })).id).toBe(messageId);
    expect(JSON.stringify(await test.events())).not.toContain('"479"');

    harness.simulator.refuseMessages(479, alice);
    await expect(send(test, bob, 'never')).rejects.toMatchObject({
      code: 'ADDRESSING_OUTDATED',
      status: 502,
      details: { code: 479 },
    });
    await test.event('messages.update', '"479"');
  });

  it('for another reason is refused with its code, and pauses nothing', async () => {
    const { alice, bob, test } = await linked({ pauseAfter: 1 });
    harness.simulator.refuseMessages(403, alice);
    await expect(send(test, bob, 'hi')).rejects.toMatchObject({
      code: 'WHATSAPP_REFUSED',
      details: { code: 403 },
    });
    harness.simulator.resume();
    await send(test, bob, 'hi');
  });
});

describe('new chats', () => {
  it('are paused after three refusals, over a takeover as well, until the pause is lifted', async () => {
    const { alice, bob, test } = await linked();
    const friend = await friendOf(alice, test);
    harness.simulator.refuseMessages(463, alice);
    for (let count = 0; count < 3; count += 1) {
      await expect(send(test, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    }
    harness.simulator.resume();
    const paused = {
      code: 'SENDS_PAUSED',
      status: 429,
      details: { resource: 'sends_paused', retryAfterMs: expect.any(Number), until: expect.any(String) },
    };
    await expect(send(test, bob, 'hi')).rejects.toMatchObject(paused);
    await send(test, friend, 'hi');
    await test.event('connection.update', 'sendsPaused', 'refused');

    const next = await takeOver(test);
    await expect(send(next, bob, 'hi')).rejects.toMatchObject(paused);
    expect(await read(next)).toMatchObject({
      pausedUntil: expect.any(String),
      pauseReason: 'refused',
      refusals: 3,
    });

    await next.session.execute('lift-pause', {});
    await send(next, bob, 'hi');
    expect(await read(next)).toMatchObject({ pausedUntil: null, pauseReason: null, refusals: 0 });
    expect(await eventsOf(next, 'sendsPaused')).toMatchObject([{ isActive: true }, { isActive: false }]);
  });

  it('are tried by one message after the pause; its success ends all, its refusal pauses for longer', async () => {
    const { alice, bob, test } = await linked({ pauseAfter: 1 });
    harness.simulator.refuseMessages(463, alice);
    await expect(send(test, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    const { pausedUntil: first } = await read(test);
    const next = await afterPause(test);
    await expect(send(next, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    const { pausedUntil: second } = await read(next);
    expect(Date.parse(String(second)) - Date.parse(String(first))).toBeGreaterThan(14 * 60_000);

    harness.simulator.resume();
    const last = await afterPause(next);
    harness.simulator.breakAcks('lost', alice);
    const trial = send(last, bob, 'trial').catch((error: unknown) => error);
    await bob.waitForMessage(({ text }) => text === 'trial', { timeoutMs: 30_000 });
    await expect(send(last, person('Carl'), 'hi')).rejects.toMatchObject(refusedWith('SENDS_PAUSED'));
    harness.simulator.resume();
    harness.simulator.disconnect(alice, 'tcp');
    expect(await trial).toMatchObject(refusedWith('OUTCOME_UNKNOWN'));
    await last.event('connection.update', '"status":"reconnecting"');
    await last.status('open');
    await send(last, bob, 'trial again');
    await send(last, person('Dora'), 'hi');
    expect(await read(last)).toMatchObject({ pausedUntil: null, refusals: 0 });

    // The chat that the trial began is one of those that go on in the next pause.
    harness.simulator.refuseMessages(463, alice, { count: 1 });
    await expect(send(last, person('Eve'), 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    await send(last, bob, 'goes on');
    await expect(send(last, person('Frank'), 'hi')).rejects.toMatchObject(refusedWith('SENDS_PAUSED'));
  });

  it('are paused while WhatsApp locks the account, which events and the call say once', async () => {
    const { bob, test, limits } = await linked();
    expect(await read(test)).toEqual({
      timeLock: { isActive: false, until: null, type: null },
      newChats: null,
      pausedUntil: null,
      pauseReason: null,
      refusals: 0,
      pacing: { sends: null, newChats: null },
    });
    const until = Math.floor(Date.now() / 1_000) + 3_600;
    const at = new Date(until * 1_000).toISOString();
    limits.lock(until, 'BIZ_QUALITY');
    await test.event('connection.update', 'sendsPaused', at);
    expect(await read(test)).toMatchObject({
      timeLock: { isActive: true, until: at, type: 'BIZ_QUALITY' },
      pausedUntil: at,
      pauseReason: 'time-lock',
    });
    // Nothing reaches WhatsApp, which would count it against the account.
    await expect(send(test, bob, 'hi')).rejects.toMatchObject({
      code: 'SENDS_PAUSED',
      details: { until: at },
    });
    limits.unlock();
    await test.event('connection.update', 'sendsPaused', 'false');
    await send(test, bob, 'hi');
    await read(test);
    expect(await eventsOf(test, 'reachoutTimeLock')).toMatchObject([{ isActive: true }, { isActive: false }]);
  });
});

describe('a lock that ends', () => {
  it('ends the pause of the next worker as well, and events say so', async () => {
    const { bob, test, limits } = await linked();
    limits.lock(Math.floor(Date.now() / 1_000) + 3_600);
    await test.event('connection.update', 'sendsPaused', 'true');
    const next = await takeOver(test);
    limits.unlock();
    await next.event('connection.update', 'sendsPaused', '"isActive":false');
    await send(next, bob, 'hi');
    expect(await eventsOf(next, 'reachoutTimeLock')).toMatchObject([{ isActive: true }, { isActive: false }]);
  });

  it('ends the pause if no worker had the session meanwhile', async () => {
    const { bob, test, limits } = await linked();
    limits.lock(Math.floor(Date.now() / 1_000) + 3_600);
    await test.event('connection.update', 'sendsPaused', 'true');
    await test.session.stop({ reason: 'drain' });
    limits.unlock();
    const next = await harness.takeOver(test.fence, test.fence.worker);
    await next.session.start();
    await next.event('connection.update', 'sendsPaused', '"isActive":false');
    await next.status('open');
    await send(next, bob, 'hi');
  });
});

describe('a pause', () => {
  it('is published only while pauses are switched on', async () => {
    const { alice, bob, test } = await linked({ pauseAfter: 1 });
    harness.simulator.refuseMessages(463, alice);
    await expect(send(test, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    harness.simulator.resume();
    expect(await read(test)).toMatchObject({ pauseReason: 'refused' });
    await harness.storeSettings(test.fence, { pacing: { pauseAfter: 0 } });
    await test.session.execute('settings-changed', {});
    await send(test, bob, 'hi');
    expect(await read(test)).toMatchObject({ pausedUntil: null, pauseReason: null });
  });

  it('does not hold for the account itself, and does not end by a message to it', async () => {
    const { alice, bob, test } = await linked({ pauseAfter: 1 });
    harness.simulator.refuseMessages(463, alice);
    await expect(send(test, bob, 'hi')).rejects.toMatchObject(refusedWith('ACCOUNT_RESTRICTED'));
    harness.simulator.resume();
    await send(test, alice, 'note');
    const next = await afterPause(test);
    await next.session.execute('send-text', { to: alice.lid, text: 'note', messageId: '3EB1FFFFFFFF' });
    expect(await read(next)).toMatchObject({ refusals: 1 });
  });
});

describe('the quota of new chats', () => {
  it('is WhatsApp’s own, as it is now', async () => {
    const { test, limits } = await linked();
    const quota = { total: 50, used: 12, cycleStart: 1_800_000_000, cycleEnd: 1_800_086_400 };
    limits.setNewChats({ ...quota, status: 'NONE' });
    await test.event('creds.update', 'newChatLimit');
    expect((await read(test)).newChats).toEqual({
      ...{ total: 50, used: 12, status: 'NONE' },
      cycleStartsAt: '2027-01-15T08:00:00.000Z',
      cycleEndsAt: '2027-01-16T08:00:00.000Z',
    });
    limits.setNewChats({ ...quota, used: 50, status: 'CAPPED' });
    await test.event('creds.update', 'CAPPED');
    expect((await read(test)).newChats).toMatchObject({ used: 50, status: 'CAPPED' });
  });

  it('is null if WhatsApp refuses to name it, unless it was asked too often', async () => {
    const { test, limits } = await linked();
    limits.refuseQuota(429);
    await expect(read(test)).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 429 } });
    limits.refuseQuota(404);
    expect(await read(test)).toMatchObject({ timeLock: { isActive: false }, newChats: null });
  });

  it('is not guessed if WhatsApp refuses all such questions', async () => {
    const { test } = await linked();
    harness.simulator.refuseRequests('query', 403);
    await expect(read(test)).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 403 } });
    harness.simulator.resume();
    expect((await read(test)).newChats).toBeNull();
  });
});

async function takeOver(test: TestSession): Promise<TestSession> {
  await test.session.stop({ reason: 'drain' });
  const next = await harness.takeOver(test.fence, test.fence.worker);
  await next.session.start();
  await next.status('open');
  return next;
}

/** Another worker has the session, and its pause has just ended. */
async function afterPause(test: TestSession): Promise<TestSession> {
  await test.session.stop({ reason: 'drain' });
  await harness.endPause(test.fence);
  const next = await harness.takeOver(test.fence, test.fence.worker);
  await next.session.start();
  await next.status('open');
  return next;
}
