import type { LinkProgress, PasskeyView } from '@wafleet/contract';
import type { PasskeyDemand, Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
const sessions: TestSession[] = [];

beforeAll(async () => {
  harness = await Harness.start();
});

afterAll(async () => {
  for (const { session } of sessions) session.discard();
  await harness.stop();
});

type Way = 'QR code' | 'pairing code';
type Whatsapp = Parameters<Harness['newSession']>[0];

interface Attempt {
  readonly phone: Phone;
  readonly test: TestSession;
  /** What becomes of the phone's part. Never rejects. */
  readonly outcome: Promise<unknown>;
}

/** A phone that has read the code of a session, and demands a passkey. */
async function demanded(
  way: Way = 'QR code',
  demand: PasskeyDemand = {},
  whatsapp: Whatsapp = {},
): Promise<Attempt> {
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  phone.demandPasskey(demand);
  const test = await harness.newSession(whatsapp);
  sessions.push(test);
  await test.session.start();
  return { phone, test, ...(await readCode(phone, test, way)) };
}

async function readCode(phone: Phone, test: TestSession, way: Way): Promise<Pick<Attempt, 'outcome'>> {
  const qr = await qrOf(test);
  let done: Promise<unknown>;
  if (way === 'QR code') done = phone.scan(qr);
  else {
    const { code } = await test.session.execute('pairing-code', { phone: phone.number });
    done = phone.enterCode(code);
  }
  const outcome = done.catch((error: unknown) => error);
  await passkey(test, ({ options }) => options !== undefined);
  return { outcome };
}

function qrOf(test: TestSession, isWanted: (qr: string) => boolean = () => true): Promise<string> {
  const look = async () => {
    const offer = await harness.offers.getQr(test.fence);
    return offer !== undefined && isWanted(offer.qr) && offer.qr;
  };
  return waitFor(look, { what: 'a QR code' });
}

function view(test: TestSession): Promise<PasskeyView> {
  return test.session.execute('get-passkey', {});
}

/** Waits for a view of the ceremony. */
function passkey(test: TestSession, isWanted: (view: PasskeyView) => boolean): Promise<PasskeyView> {
  const look = async () => {
    const current = await view(test);
    return isWanted(current) && current;
  };
  return waitFor(look, { what: 'the passkey' });
}

function challengeIn({ options }: PasskeyView) {
  const { challenge, rpId } = options ?? {};
  if (typeof challenge !== 'string') throw new Error('there is no challenge');
  return { challenge, rpId: typeof rpId === 'string' ? rpId : undefined };
}

async function signed(
  { phone, test }: Attempt,
  flaws: Parameters<NonNullable<Phone['passkey']>['sign']>[1] = {},
) {
  const assertion = phone.passkey?.sign(challengeIn(await view(test)), flaws);
  if (assertion === undefined) throw new Error('the account has no passkey');
  return assertion;
}

async function steps(test: TestSession): Promise<string[]> {
  const all = (await test.events()).flatMap(({ event, payload }) => {
    if (event !== 'connection.update' || payload.link === undefined) return [];
    const { step, problem } = payload.link as LinkProgress;
    return problem === undefined ? step : `${step} ${problem.code}`;
  });
  return all.filter((step, index) => step !== all[index - 1]);
}

/** Waits until linking has begun again because of a problem. */
function begunAgain(test: TestSession, problem: string): Promise<unknown> {
  const look = async () => {
    const { link, status, reason } = await test.record();
    const isAgain = link?.step === 'qr-shown' && link.problem?.code === problem;
    return isAgain && status === 'awaiting_link' && reason === undefined;
  };
  return waitFor(look, { what: `new codes after the problem ${problem}` });
}

describe.each(['QR code', 'pairing code'] as const)('a link by %s and passkey', (way) => {
  it('opens after one signature, without a comparison of codes', async () => {
    const attempt = await demanded(way);
    const { phone, test, outcome } = attempt;
    const record = await waitFor(
      async () => {
        const current = await test.record();
        return current.link?.step === 'passkey-requested' && current;
      },
      { what: 'the request in the record' },
    );
    expect(record).toMatchObject({ status: 'awaiting_link', reason: 'passkey' });
    expect(await harness.offers.getQr(test.fence)).toBeUndefined();
    expect(await harness.offers.getPairingCode(test.fence)).toBeUndefined();
    const { stage, options } = await view(test);
    expect({ stage, options }).toEqual({ stage: 'requested', options: phone.passkeyCeremony?.options });

    const assertion = await signed(attempt);
    const answers = await Promise.all([
      test.session.execute('sign-passkey', assertion),
      test.session.execute('sign-passkey', assertion),
    ]);
    for (const answer of answers) expect(answer.options).toBeUndefined();
    expect((await test.status('open')).phone).toBe(phone.number);
    expect(await outcome).toMatchObject({ phone });
    expect(phone.devices.size).toBe(1);
    expect(phone.passkeyCeremony?.isHandedOff).toBe(true);
    // Each notification is acknowledged once, by Baileys if it can.
    expect(phone.passkeyCeremony?.notifications).toEqual([
      { type: 'passkey_prologue_request', acks: 1 },
      { type: 'crsc_continuation', acks: 1 },
    ]);
    // The directory has the state before the log has its event.
    await test.event('connection.update', '"step":"open"');
    const shown = await steps(test);
    expect(shown.slice(shown.indexOf('passkey-requested'))).toEqual([
      'passkey-requested',
      'passkey-signed',
      'passkey-code-shown',
      'confirmed',
      'syncing',
      'open',
    ]);
    await expect(view(test)).rejects.toMatchObject({ code: 'ALREADY_LINKED' });
    await harness.simulator.addPhone({ name: 'Carl' }).send(phone, { text: 'over the new link' });
    await test.event('messages.upsert', 'over the new link');
  });

  it('opens after both sides have confirmed the code, when the phone has forgotten the first one', async () => {
    const attempt = await demanded(way, { handoffTtlMs: 0 }, { passkeyTimes: { handoffMs: 0 } });
    const { phone, test } = attempt;
    await test.session.execute('sign-passkey', await signed(attempt));
    const { code = '', isCodeOptional } = await passkey(test, ({ stage }) => stage === 'code-shown');
    expect(code).toMatch(/^[1-9A-HJ-NP-TV-Z]{4}-[1-9A-HJ-NP-TV-Z]{4}$/);
    expect(isCodeOptional).toBe(false);
    await phone.acceptPasskeyCode(code);
    expect(phone.devices.size).toBe(0);
    expect(await test.session.execute('confirm-passkey', { matches: true })).toMatchObject({
      stage: 'confirmed',
    });
    await test.status('open');
  });

  it('shows the code when the phone alone wants it compared', async () => {
    const attempt = await demanded(way);
    const { phone, test } = attempt;
    phone.isForeground = false;
    await test.session.execute('sign-passkey', await signed(attempt));
    const { code = '', isCodeOptional } = await passkey(test, ({ stage }) => stage === 'confirmed');
    expect(isCodeOptional).toBe(true);
    await phone.acceptPasskeyCode(code);
    await test.status('open');
  });

  it('that the person cancels begins again, and an ordinary one follows', async () => {
    const attempt = await demanded(way, {}, { passkeyTimes: { handoffMs: 0 } });
    const { phone, test } = attempt;
    await test.session.execute('sign-passkey', await signed(attempt));
    await passkey(test, ({ stage }) => stage === 'code-shown');
    await test.session.execute('confirm-passkey', { matches: false });
    await begunAgain(test, 'cancelled');
    await expect(view(test)).rejects.toMatchObject({ code: 'PASSKEY_NOT_REQUESTED' });
    phone.waivePasskey();
    await phone.scan(await qrOf(test));
    expect((await test.status('open')).link?.problem).toBeUndefined();
  });

  it('that no phone continues ends after its patience, and a second attempt succeeds', async () => {
    const attempt = await demanded(way, { continueAfterMs: 'never' }, { passkeyTimes: { patienceMs: 300 } });
    const { phone, test } = attempt;
    await test.session.execute('sign-passkey', await signed(attempt));
    await begunAgain(test, 'phone-timeout');
    phone.demandPasskey();
    await readCode(phone, test, way);
    await test.session.execute('sign-passkey', await signed(attempt));
    await test.status('open');
  });
});

describe('a link by passkey', () => {
  it('outlasts its QR codes', async () => {
    const attempt = await demanded('QR code', {}, { qrLifeMs: 200, linkPatienceMs: 300 });
    const { test } = attempt;
    const { expiresAt } = await view(test);
    await waitFor(
      async () => Date.now() > Date.parse((await test.record()).link?.expiresAt ?? '') - 598_000,
      {
        what: 'the end of all QR codes',
      },
    );
    expect((await view(test)).expiresAt).toBe(expiresAt);
    await test.session.execute('sign-passkey', await signed(attempt));
    await test.status('open');
  });

  it('fetches the challenge when the request has none, and ignores what it does not know', async () => {
    for (const requestOptions of ['absent', 'unreadable'] as const) {
      const attempt = await demanded('QR code', { requestOptions, dbscRegistration: true });
      await attempt.test.session.execute('sign-passkey', await signed(attempt));
      await attempt.test.status('open');
    }
  });

  it('takes the challenge of a repeated request', async () => {
    const attempt = await demanded();
    const { phone, test } = attempt;
    const first = challengeIn(await view(test));
    const old = await signed(attempt);
    phone.repeatPasskeyRequest();
    await passkey(test, (current) => challengeIn(current).challenge !== first.challenge);
    await expect(test.session.execute('sign-passkey', old)).rejects.toMatchObject({
      code: 'PASSKEY_ASSERTION_INVALID',
      details: { problem: 'challenge' },
    });
    await test.session.execute('sign-passkey', await signed(attempt));
    await test.status('open');
    expect(phone.passkeyCeremony?.isHandedOff).toBe(true);
  });

  it.each([
    [{ origin: 'https://web.whatsapp.com.example.com' }, 'origin'],
    [{ challenge: 'AAAA' }, 'challenge'],
    [{ rpId: 'example.com' }, 'rp-id'],
    [{ type: 'webauthn.create' }, 'type'],
    [{ userVerified: false }, 'user-verification'],
    [{ wrongCredential: true }, 'credential'],
  ] as const)('sends nothing for a signature with %j, and takes the next one', async (flaws, problem) => {
    const attempt = await demanded('QR code', { listsCredential: true });
    const { phone, test } = attempt;
    const { challenge } = challengeIn(await view(test));
    await expect(test.session.execute('sign-passkey', await signed(attempt, flaws))).rejects.toMatchObject({
      code: 'PASSKEY_ASSERTION_INVALID',
      details: { problem },
    });
    expect(phone.passkeyCeremony?.options?.challenge).toBe(challenge);
    await test.session.execute('sign-passkey', await signed(attempt));
    await test.status('open');
  });

  it('begins again when WhatsApp refuses the signature', async () => {
    const attempt = await demanded();
    const { test } = attempt;
    await expect(
      test.session.execute('sign-passkey', await signed(attempt, { wrongKey: true })),
    ).rejects.toMatchObject({ code: 'PASSKEY_REFUSED', details: { code: 401 } });
    await begunAgain(test, 'passkey-refused');
    expect((await steps(test)).filter((step) => step.endsWith('passkey-refused'))).toEqual([
      'waiting passkey-refused',
      'qr-shown passkey-refused',
    ]);
  });

  it.each([
    ['companion_nonce', 'refused'],
    ['encrypted_pairing_request', 'refused'],
  ])('begins again when WhatsApp refuses %s', async (tag, problem) => {
    const attempt = await demanded();
    harness.simulator.refuseRequests(tag, 409);
    await attempt.test.session.execute('sign-passkey', await signed(attempt));
    await begunAgain(attempt.test, problem);
    harness.simulator.resume();
  });

  it('begins again when WhatsApp refuses without a code', async () => {
    const attempt = await demanded();
    harness.simulator.refuseRequests('companion_nonce', Number.NaN);
    await attempt.test.session.execute('sign-passkey', await signed(attempt));
    await begunAgain(attempt.test, 'refused');
    harness.simulator.resume();
  });

  it('begins again when the phone answers with a nonce of another length', async () => {
    const attempt = await demanded('QR code', { primaryNonceLength: 31 });
    await attempt.test.session.execute('sign-passkey', await signed(attempt));
    await begunAgain(attempt.test, 'refused');
  });

  it('begins again when the challenge expires, and when the phone refuses', async () => {
    const expired = await demanded('QR code', { challengeTtlMs: 300 });
    await begunAgain(expired.test, 'expired');
    const refused = await demanded('QR code', {}, { passkeyTimes: { patienceMs: 300 } });
    refused.phone.isForeground = false;
    await refused.test.session.execute('sign-passkey', await signed(refused));
    refused.phone.refusePasskey();
    await begunAgain(refused.test, 'phone-timeout');
  });

  it('begins again when the connection is lost', async () => {
    const { phone, test, outcome } = await demanded();
    phone.refusePasskey({ code: 503 });
    await begunAgain(test, 'cancelled');
    expect(await outcome).toMatchObject({ reason: 'refused' });
  });

  it('goes on when WhatsApp no longer takes the codes', async () => {
    const attempt = await demanded();
    await attempt.phone.passkeyCeremony?.client.refresh();
    await attempt.test.session.execute('sign-passkey', await signed(attempt));
    await attempt.test.status('open');
  });

  it.each(['QR code', 'pairing code'] as const)(
    'of a client that says that it is Firefox succeeds by %s, and a change of that waits for the next link',
    async (way) => {
      const phone = harness.simulator.addPhone({ name: 'Anna' });
      phone.demandPasskey();
      const test = await harness.newSession();
      sessions.push(test);
      await harness.storeSettings(test.fence, { device: { name: 'Till 3', platform: 'firefox' } });
      await test.session.start();
      const attempt = { phone, test, ...(await readCode(phone, test, way)) };
      await harness.storeSettings(test.fence, { device: { name: 'Till 4', platform: 'edge' } });
      await test.session.execute('settings-changed', {});
      await test.session.execute('sign-passkey', await signed(attempt));
      await test.status('open');
      expect([...phone.devices.values()]).toMatchObject([{ os: 'Till 3', platform: 'FIREFOX' }]);
    },
  );

  describe('whose requests WhatsApp does not answer in time', () => {
    const SHORT = { passkeyTimes: { refMs: 200, answerMs: 200 } };
    afterEach(() => harness.simulator.resume());

    /** Waits until an answer is missing for longer than a caller waits. */
    async function missing(count = 1): Promise<void> {
      await waitFor(() => harness.simulator.withheldCount >= count, { what: 'a missing answer' });
      const since = Date.now();
      await waitFor(() => Date.now() > since + 500, { what: 'the time of an answer' });
    }

    it('takes the same signature again if it was not sent', async () => {
      const attempt = await demanded('QR code', {}, SHORT);
      const { test } = attempt;
      const before = await view(test);
      const assertion = await signed(attempt);
      harness.simulator.withholdAnswers('ref');
      await expect(test.session.execute('sign-passkey', assertion)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        retryable: true,
      });
      expect(await view(test)).toEqual(before);
      harness.simulator.resume();
      await test.session.execute('sign-passkey', assertion);
      await test.status('open');
    });

    it('goes on after the signature when the phone does', async () => {
      const attempt = await demanded('QR code', {}, SHORT);
      harness.simulator.withholdAnswers('passkey_prologue');
      await attempt.test.session.execute('sign-passkey', await signed(attempt));
      await attempt.test.status('open');
    });

    it('waits for the phone when it may have taken the signature', async () => {
      const attempt = await demanded('QR code', { continueAfterMs: 'never' }, SHORT);
      const { phone, test } = attempt;
      const assertion = await signed(attempt);
      harness.simulator.withholdAnswers('passkey_prologue');
      await expect(test.session.execute('sign-passkey', assertion)).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
      });
      expect(await view(test)).toMatchObject({ stage: 'signed' });
      expect(phone.passkeyCeremony?.stage).toBe('signed');
      await waitFor(async () => (await test.record()).link?.step === 'passkey-signed', {
        what: 'the signature in the record',
      });
    });

    it('does not expire while WhatsApp looks at the signature', async () => {
      const challengeMs = 1_000;
      const passkeyTimes = { challengeMs, refMs: 200, answerMs: 10_000 };
      const attempt = await demanded('QR code', { continueAfterMs: 'never' }, { passkeyTimes });
      const { phone, test } = attempt;
      harness.simulator.withholdAnswers('passkey_prologue');
      const signing = test.session.execute('sign-passkey', await signed(attempt));
      await waitFor(() => harness.simulator.withheldCount > 0, { what: 'the signature at WhatsApp' });
      const since = Date.now();
      await waitFor(() => Date.now() > since + challengeMs, { what: 'the end of the challenge' });
      harness.simulator.resume();
      expect(await signing).toMatchObject({ stage: 'signed' });
      expect(phone.passkeyCeremony?.stage).toBe('signed');
      expect(await view(test)).toMatchObject({ stage: 'signed' });
    });

    it('goes on when the answer to the nonce comes late', async () => {
      const attempt = await demanded('QR code', {}, SHORT);
      const { test } = attempt;
      harness.simulator.withholdAnswers('companion_nonce');
      await test.session.execute('sign-passkey', await signed(attempt));
      await missing();
      expect(await view(test)).toMatchObject({ stage: 'signed' });
      harness.simulator.resume();
      await test.status('open');
    });

    it('goes on without the answer to the request for the link', async () => {
      const attempt = await demanded(
        'QR code',
        { handoffTtlMs: 0 },
        {
          passkeyTimes: { ...SHORT.passkeyTimes, handoffMs: 0 },
        },
      );
      const { phone, test } = attempt;
      harness.simulator.withholdAnswers('encrypted_pairing_request');
      await test.session.execute('sign-passkey', await signed(attempt));
      const { code = '' } = await passkey(test, ({ stage }) => stage === 'code-shown');
      expect(await test.session.execute('confirm-passkey', { matches: true })).toMatchObject({
        stage: 'confirmed',
      });
      await missing();
      expect(await view(test)).toMatchObject({ stage: 'confirmed' });
      await phone.acceptPasskeyCode(code);
      await test.status('open');
    });

    it('asks again for what is to be signed', async () => {
      const phone = harness.simulator.addPhone({ name: 'Anna' });
      phone.demandPasskey({ requestOptions: 'absent' });
      const test = await harness.newSession(SHORT);
      sessions.push(test);
      await test.session.start();
      harness.simulator.withholdAnswers('passkey_request_options');
      const outcome = phone.scan(await qrOf(test)).catch((error: unknown) => error);
      await missing(2);
      harness.simulator.resume();
      await passkey(test, ({ options }) => options !== undefined);
      await test.session.execute('sign-passkey', await signed({ phone, test, outcome }));
      await test.status('open');
    });
  });

  it.each([true, false])(
    'keeps the token of its helper link until it has ended, linked: %s',
    async (matches) => {
      const attempt = await demanded('QR code', { handoffTtlMs: 0 }, { passkeyTimes: { handoffMs: 0 } });
      const { phone, test } = attempt;
      const token = await harness.passkeyLinks.create(test.fence, Date.now() + 3_600_000);
      const isGood = async () => (await harness.passkeyLinks.find(token)) !== undefined;
      await test.session.execute('sign-passkey', await signed(attempt));
      const { code = '' } = await passkey(test, ({ stage }) => stage === 'code-shown');
      expect(await isGood()).toBe(true);
      await test.session.execute('confirm-passkey', { matches });
      if (matches) {
        expect(await isGood()).toBe(true);
        await phone.acceptPasskeyCode(code);
        await test.status('open');
        // Its holder can see for a minute that the session is linked.
        expect(await isGood()).toBe(true);
      } else {
        await begunAgain(test, 'cancelled');
        expect(await isGood()).toBe(false);
      }
    },
  );

  it('gives way to a pairing code that is asked for meanwhile', async () => {
    const { phone, test } = await demanded();
    phone.waivePasskey();
    const { code } = await test.session.execute('pairing-code', { phone: phone.number });
    await expect(view(test)).rejects.toMatchObject({ code: 'PASSKEY_NOT_REQUESTED' });
    await phone.enterCode(code);
    await test.status('open');
  });

  it.each([undefined, 429])(
    'goes on when a pairing code that was asked for before comes meanwhile, or is refused with %s',
    async (refusal) => {
      const phone = harness.simulator.addPhone({ name: 'Anna' });
      phone.demandPasskey();
      const test = await harness.newSession();
      sessions.push(test);
      await test.session.start();
      const qr = await qrOf(test);
      harness.simulator.withholdAnswers('link_code_companion_reg');
      if (refusal !== undefined) harness.simulator.refuseRequests('link_code_companion_reg', refusal);
      const asked = test.session
        .execute('pairing-code', { phone: phone.number })
        .catch((error: unknown) => error);
      await waitFor(() => harness.simulator.withheldCount > 0, { what: 'the request for a code' });
      const outcome = phone.scan(qr).catch((error: unknown) => error);
      await passkey(test, ({ options }) => options !== undefined);
      const token = await harness.passkeyLinks.create(test.fence, Date.now() + 60_000);
      harness.simulator.resume();
      expect(await asked).toMatchObject(
        refusal === undefined
          ? { code: 'SESSION_NOT_OPEN', details: { status: 'awaiting_link' } }
          : { code: 'WHATSAPP_REFUSED' },
      );
      expect(await harness.offers.getPairingCode(test.fence)).toBeUndefined();
      expect(await test.record()).toMatchObject({ reason: 'passkey', link: { step: 'passkey-requested' } });
      expect(await harness.passkeyLinks.find(token)).toMatchObject({ sessionId: test.fence.sessionId });
      await test.session.execute('sign-passkey', await signed({ phone, test, outcome }));
      await test.status('open');
    },
  );

  it('is not there without a request, and not before its stage', async () => {
    const test = await harness.newSession();
    sessions.push(test);
    await test.session.start();
    await qrOf(test);
    await expect(view(test)).rejects.toMatchObject({ code: 'PASSKEY_NOT_REQUESTED' });
    const attempt = await demanded();
    await expect(attempt.test.session.execute('confirm-passkey', { matches: true })).rejects.toMatchObject({
      code: 'PASSKEY_NOT_REQUESTED',
      details: { stage: 'requested' },
    });
  });

  it('of two sessions at once links each to its own account', async () => {
    const attempts = await Promise.all([demanded('QR code'), demanded('pairing code')]);
    const [first, second] = attempts;
    const foreign = await signed(second);
    await expect(first.test.session.execute('sign-passkey', foreign)).rejects.toMatchObject({
      code: 'PASSKEY_ASSERTION_INVALID',
    });
    for (const attempt of attempts) await attempt.test.session.execute('sign-passkey', await signed(attempt));
    for (const { phone, test } of attempts) expect((await test.status('open')).phone).toBe(phone.number);
  });
});
