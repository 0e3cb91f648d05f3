import type { Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let count = 0;

beforeAll(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.simulator.resume());
afterAll(() => harness.stop());

async function linked(): Promise<{ test: TestSession; alice: Phone; bob: Phone }> {
  count += 1;
  const alice = harness.simulator.addPhone({ number: `4915100000${count}`, name: 'Alice' });
  const bob = harness.simulator.addPhone({ number: `4915200000${count}`, name: 'Bob' });
  const test = await harness.newSession();
  await test.link(alice);
  return { test, alice, bob };
}

function send({ session }: TestSession, to: Phone, text: string, messageId: string) {
  return session.execute('send-text', { to: to.jid, text, messageId });
}

describe('sending a message', () => {
  it('succeeds once WhatsApp has acknowledged it', async () => {
    const { test, bob } = await linked();
    await expect(send(test, bob, 'hello', '3EB0AA01')).resolves.toEqual({ messageId: '3EB0AA01' });
    await test.event('messages.upsert', '3EB0AA01');
  });

  it('fails with the code and the reason when WhatsApp refuses it', async () => {
    const { test, alice, bob } = await linked();
    harness.simulator.refuseMessages(403, alice);
    await expect(send(test, bob, 'hello', '3EB0AA02')).rejects.toMatchObject({
      code: 'WHATSAPP_REFUSED',
      details: { code: 403, reason: expect.stringContaining('recipient'), messageId: '3EB0AA02' },
    });
  });

  it('has an unknown outcome when the acknowledgement does not come, and the message is not sent twice', async () => {
    const { test, alice, bob } = await linked();
    harness.simulator.breakAcks('lost', alice);
    await expect(send(test, bob, 'hello', '3EB0AA03')).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { messageId: '3EB0AA03' },
    });
    harness.simulator.resume();
    await send(test, bob, 'next', '3EB0AA04');
    await bob.waitForMessage(({ text }) => text === 'next', { timeoutMs: 60_000 });
    expect(bob.received.filter(({ text }) => text === 'hello')).toHaveLength(1);
  });

  it('again under the same id, on another worker, reaches the phone once, and is the same message', async () => {
    const { test, alice, bob } = await linked();
    harness.simulator.breakAcks('lost', alice);
    await expect(send(test, bob, 'once', '3EB0AA0B')).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const isIt = ({ text }: { text: string | undefined }) => text === 'once';
    const first = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
    harness.simulator.resume();

    await test.session.stop({ reason: 'drain' });
    const next = await harness.takeOver(test.fence, test.fence.worker);
    await next.session.start();
    await next.status('open');
    await expect(send(next, bob, 'once', '3EB0AA0B')).resolves.toEqual({ messageId: '3EB0AA0B' });
    await send(next, bob, 'next', '3EB0AA0C');
    await bob.waitForMessage(({ text }) => text === 'next', { timeoutMs: 60_000 });
    expect(bob.received.map(({ text }) => text)).toEqual(['once', 'next']);
    expect(bob.inbox.repeated).toEqual(['3EB0AA0B']);

    // Votes and reactions of the phone are encrypted with the secret of the copy that it kept.
    bob.inbox.forget(first);
    const again = await bob.waitForMessage(isIt, { timeoutMs: 60_000 });
    const secrets = [first, again].map(({ message }) => message.messageContextInfo?.messageSecret);
    expect(secrets[0]).toHaveLength(32);
    expect(secrets[1]).toEqual(secrets[0]);
    const other = bob.received.find(({ text }) => text === 'next');
    expect(other?.message.messageContextInfo?.messageSecret).not.toEqual(secrets[0]);
  });

  it('has an unknown outcome when the connection breaks before the acknowledgement', async () => {
    const { test, alice, bob } = await linked();
    harness.simulator.breakAcks('cut', alice);
    await expect(send(test, bob, 'hello', '3EB0AA05')).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { messageId: '3EB0AA05' },
    });
  });

  it('does not wait for WhatsApp’s answers any longer once its session is released', async () => {
    const { test, bob } = await linked();
    harness.simulator.goSilent();
    let isSettled = false;
    const sending = send(test, bob, 'hello', '3EB0AA07').finally(() => {
      isSettled = true;
    });
    const failure = expect(sending).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await test.session.stop({ reason: 'drain' });
    await waitFor(() => isSettled, { what: 'the end of the sending', timeoutMs: 10_000 });
    await failure;
  });

  it('fails at once, and sends nothing, while what WhatsApp answers cannot be stored', async () => {
    const { test, bob } = await linked();
    await send(test, bob, 'before', '3EB0AA06');
    test.session.setStorage('away');
    await expect(send(test, bob, 'meanwhile', '3EB0AA07')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    test.session.setStorage('reachable');
    await send(test, bob, 'after', '3EB0AA08');
    await bob.waitForMessage(({ text }) => text === 'after');
    expect(bob.received.map(({ text }) => text)).toEqual(['before', 'after']);
  });

  it('publishes the message as the account’s own if it was acknowledged, and else nothing', async () => {
    const { test, alice, bob } = await linked();
    harness.simulator.refuseMessages(463, alice);
    await expect(send(test, bob, 'refused', '3EB0AA09')).rejects.toMatchObject({
      code: 'ACCOUNT_RESTRICTED',
    });
    harness.simulator.resume();
    await send(test, bob, 'accepted', '3EB0AA0A');
    await test.event('messages.upsert', '3EB0AA0A');
    const ids = (await test.events())
      .filter(({ event }) => event === 'messages.upsert')
      .map(({ payload }) => JSON.stringify(payload))
      .filter((json) => json.includes('3EB0AA09'));
    expect(ids).toEqual([]);
  });
});
