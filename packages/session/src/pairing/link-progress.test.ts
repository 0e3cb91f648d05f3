import { setTimeout as delay } from 'node:timers/promises';
import type { LinkProgress } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { LinkProgressTracker } from './link-progress.js';

let harness: Harness;

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(() => harness.stop());

/** The links in the published states of a session, each once, as `step` or `step problem`. */
async function stepsOf(test: TestSession): Promise<string[]> {
  const steps = (await test.events()).flatMap(({ event, payload }) => {
    if (event !== 'connection.update' || payload.link === undefined) return [];
    const { step, problem } = payload.link as LinkProgress;
    return problem === undefined ? step : `${step} ${problem.code}`;
  });
  return steps.filter((step, index) => step !== steps[index - 1]);
}

/** Waits for a state in the session's record. */
function link(test: TestSession, step: string, problem?: string): Promise<LinkProgress> {
  return waitFor(
    async () => {
      const { link: current } = await test.record();
      return current?.step === step && current.problem?.code === problem ? current : undefined;
    },
    { what: `the link at ${step}, problem ${problem}` },
  );
}

/** Waits until a step was published. For those that a fast phone ends before the record is looked at. */
async function published(test: TestSession, step: string): Promise<void> {
  await waitFor(async () => (await stepsOf(test)).includes(step), { what: `the link's step ${step}` });
}

async function linkDone(test: TestSession): Promise<void> {
  await published(test, 'open');
  await waitFor(async () => (await test.record()).link === undefined, { what: 'no link in the record' });
}

/** A session that shows a pairing code for a phone. */
async function shownCode(name: string, whatsapp: Parameters<Harness['newSession']>[0]) {
  const phone = harness.simulator.addPhone({ name });
  const test = await harness.newSession(whatsapp);
  await test.session.start();
  const shown = await test.session.execute('pairing-code', { phone: phone.number });
  return { phone, test, ...shown };
}

/** A phone that goes on with a link when the test says so. */
function slowPhone() {
  let goOn = () => {};
  const linking = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  return { linking, goOn: () => goOn() };
}

describe('a link by QR code', () => {
  it('goes through its steps, and is over when the history has come', async () => {
    const phone = harness.simulator.addPhone({ name: 'Anna' });
    const test = await harness.newSession();
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    const shown = await link(test, 'qr-shown');
    expect(Date.parse(shown.expiresAt ?? '')).toBeGreaterThan(Date.parse(String(payload.expiresAt)));
    await phone.scan(String(payload.qr));
    await published(test, 'syncing');
    expect(await test.record()).toMatchObject({ status: 'open' });
    phone.history.share({ kind: 'INITIAL_BOOTSTRAP' });
    await linkDone(test);
    expect(await stepsOf(test)).toEqual(['waiting', 'qr-shown', 'scanned', 'confirmed', 'syncing', 'open']);

    // A link that is long done is not reported again.
    harness.simulator.disconnect(phone, 'socket');
    await test.event('connection.update', 'reconnecting');
    await test.status('open');
    expect((await stepsOf(test)).at(-1)).toBe('open');
    expect((await test.record()).link).toBeUndefined();
  });

  it('says that the codes of a round ran out, while the next ones are shown', async () => {
    const phone = harness.simulator.addPhone({ name: 'Berta' });
    const test = await harness.newSession({ qrLifeMs: 300 });
    await test.session.start();
    expect((await link(test, 'qr-shown', 'expired')).problem?.message).toContain('QR codes ran out');
    expect((await stepsOf(test)).slice(0, 3)).toEqual(['waiting', 'qr-shown', 'waiting expired']);
    await waitFor(
      async () => {
        const offer = await harness.offers.getQr(test.fence);
        return offer !== undefined && phone.scan(offer.qr);
      },
      { what: 'a scan' },
    );
    await published(test, 'syncing');
    test.session.discard();
  });

  it('that no phone takes in time ends with the reason', async () => {
    const test = await harness.newSession({ qrLifeMs: 40, linkPatienceMs: 500 });
    await test.session.start();
    expect((await test.status('closed')).link).toMatchObject({
      step: 'waiting',
      problem: { code: 'expired', message: 'No phone was linked in time.' },
    });
    test.session.discard();
  });

  it('whose first login WhatsApp refuses says so at once, and begins again', async () => {
    const phone = harness.simulator.addPhone({ name: 'Carla' });
    const test = await harness.newSession();
    harness.simulator.refuseLogins(401, phone);
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    await phone.scan(String(payload.qr));
    await link(test, 'qr-shown', 'refused');
    expect(await stepsOf(test)).toEqual([
      'waiting',
      'qr-shown',
      'scanned',
      'confirmed',
      'waiting refused',
      'qr-shown refused',
    ]);
    test.session.discard();
    harness.simulator.acceptLogins(phone);
  });

  it('says that WhatsApp no longer takes the codes', async () => {
    const test = await harness.newSession();
    await test.session.start();
    const { payload } = await test.event('auth.qr');
    await harness.simulator.gate.clientOf(String(payload.qr)).refresh();
    await link(test, 'qr-shown', 'expired');
    test.session.discard();
  });
});

describe('a link by pairing code', () => {
  it('says at once that a wrong code was typed, and goes on with the right one', async () => {
    const phone = harness.simulator.addPhone({ name: 'Dora' });
    const test = await harness.newSession();
    await test.session.start();
    await link(test, 'qr-shown');
    const { code, expiresAt } = await test.session.execute('pairing-code', { phone: phone.number });
    expect((await link(test, 'code-shown')).expiresAt).toBe(expiresAt);
    await expect(phone.enterCode('AAAAAAAA')).rejects.toThrow();
    expect((await link(test, 'code-shown', 'refused')).expiresAt).toBe(expiresAt);
    await phone.enterCode(code);
    await linkDone(test);
    expect(await stepsOf(test)).toEqual([
      'waiting',
      'qr-shown',
      'waiting',
      'code-shown',
      'code-entered',
      'code-shown refused',
      'code-entered',
      'confirmed',
      'syncing',
      'open',
    ]);
    test.session.discard();
  });

  it('is completed after the end of the code, if that was typed before', async () => {
    const { phone, test, code, expiresAt } = await shownCode('Hanna', { qrLifeMs: 400 });
    const { linking, goOn } = slowPhone();
    const outcome = phone.enterCode(code, { linking });
    const entered = await link(test, 'code-entered');
    expect(Date.parse(entered.expiresAt ?? '')).toBeGreaterThan(Date.parse(expiresAt) + 30_000);
    await waitFor(() => Date.now() > Date.parse(expiresAt) + 500, { what: 'the end of the code' });
    expect(await test.record()).toMatchObject({ status: 'awaiting_link', link: { step: 'code-entered' } });
    goOn();
    expect(await outcome).toMatchObject({ phone });
    await test.status('open');
    expect((await stepsOf(test)).filter((step) => step.includes(' '))).toEqual([]);
    test.session.discard();
  });

  it('ends when the phone does not complete it in time', async () => {
    const { phone, test, code } = await shownCode('Ida', { qrLifeMs: 400, linkAfterCodeMs: 3_000 });
    const { linking } = slowPhone();
    phone.enterCode(code, { linking }).catch(() => {});
    const ended = await link(test, 'qr-shown', 'expired');
    expect(ended.problem?.message).toContain('did not complete the link');
    test.session.discard();
  });

  it('ends with the code after a wrong one was typed', async () => {
    const { phone, test, code, expiresAt } = await shownCode('Jana', { qrLifeMs: 400 });
    await expect(phone.enterCode(code === 'AAAAAAAA' ? 'BBBBBBBB' : 'AAAAAAAA')).rejects.toThrow();
    expect((await link(test, 'code-shown', 'refused')).expiresAt).toBe(expiresAt);
    expect((await link(test, 'qr-shown', 'expired')).problem?.message).toContain('pairing code');
    test.session.discard();
  });

  it('says that the code has expired', async () => {
    const phone = harness.simulator.addPhone({ name: 'Emma' });
    const test = await harness.newSession({ qrLifeMs: 400 });
    await test.session.start();
    await test.session.execute('pairing-code', { phone: phone.number });
    expect((await link(test, 'qr-shown', 'expired')).problem?.message).toContain('pairing code');
    test.session.discard();
  });
});

describe('a takeover', () => {
  it('shows the step of the new owner', async () => {
    const phone = harness.simulator.addPhone({ name: 'Frida' });
    const first = await harness.newSession();
    await first.session.start();
    await first.session.execute('pairing-code', { phone: phone.number });
    await link(first, 'code-shown');
    const second = await harness.takeOver(first.fence, first.fence.worker);
    await second.session.start();
    await link(second, 'qr-shown');
    await second.session.stop({ reason: 'drain' });
    expect((await second.record()).link).toMatchObject({ step: 'waiting' });
  });

  it('of a link that the phone has signed goes on with it', async () => {
    const phone = harness.simulator.addPhone({ name: 'Gerda' });
    const first = await harness.newSession();
    harness.simulator.refuseLogins(503, phone);
    await first.session.start();
    const { payload } = await first.event('auth.qr');
    await phone.scan(String(payload.qr));
    await first.status('reconnecting');
    await link(first, 'confirmed');
    first.session.discard();
    const second = await harness.takeOver(first.fence, first.fence.worker);
    await second.session.start();
    await second.event('connection.update', '"confirmed"');
    harness.simulator.acceptLogins(phone);
    await published(second, 'syncing');
    second.session.discard();
  });
});

describe('the progress', () => {
  it('does not stay at the history for longer than its bound', async () => {
    const tracker = new LinkProgressTracker({ syncMs: 50 });
    const over = new Promise<void>((resolve) => tracker.beginSync(resolve));
    expect(tracker.step).toBe('syncing');
    await Promise.race([over, delay(5_000).then(() => Promise.reject(new Error('it stays')))]);
    tracker.end();
    expect(tracker.current).toBeNull();
  });

  it('keeps a problem until the phone takes part again', () => {
    const tracker = new LinkProgressTracker();
    expect(tracker.current).toBeUndefined();
    tracker.reach('qr-shown', 0);
    tracker.fail('expired', 'too late');
    tracker.reach('qr-shown', 1);
    expect(tracker.current).toMatchObject({
      step: 'qr-shown',
      expiresAt: '1970-01-01T00:00:00.001Z',
      problem: { code: 'expired', message: 'too late' },
    });
    tracker.reach('scanned');
    expect(tracker.current?.problem).toBeUndefined();
    expect(tracker.current?.expiresAt).toBeUndefined();
  });
});
