import type { Device, Phone } from '@wafleet/simulator';
import { waitFor } from '@wafleet/testkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Harness, type TestSession } from './testing/harness.js';

const CIPHERTEXT = 2;

let harness: Harness;
let account: Account;

beforeAll(async () => {
  harness = await Harness.start();
  const phone = harness.simulator.addPhone({ name: 'Anna' });
  const session = await harness.newSession();
  await session.link(phone);
  const [device] = phone.devices.values();
  if (device === undefined) throw new Error('the phone has no device');
  account = new Account(session, device);
});
afterAll(() => harness?.stop());

/** A linked account, whichever worker owns its session. */
class Account {
  current: TestSession;
  readonly device: Device;

  constructor(current: TestSession, device: Device) {
    this.current = current;
    this.device = device;
  }

  /** Another worker takes the session. With its first message Baileys begins new Signal sessions with the contact. */
  async takeOver(end: 'in order' | 'killed'): Promise<void> {
    const { session, fence } = this.current;
    if (end === 'in order') await session.stop({ reason: 'moved' });
    else session.discard();
    this.current = await harness.takeOver(fence, fence.worker);
    await this.current.session.start();
    await this.current.status('open');
  }
}

type Side = 'session' | 'contact';

/** The session and a contact that is new to it write to each other. Messages of both sides can be held back. */
class Correspondence {
  readonly contact: Phone = harness.simulator.addPhone({ name: 'Berta' });
  readonly #toSession: string[] = [];
  readonly #toContact: string[] = [];
  #count = 0;

  async write(from: Side): Promise<void> {
    this.#count += 1;
    const text = `${this.contact.number}-${this.#count}`;
    if (from === 'contact') {
      this.#toSession.push(text);
      await this.contact.send(account.device.phone, { text });
    } else {
      const messageId = `3EB0${Buffer.from(text).toString('hex').toUpperCase()}`;
      await account.current.session.execute('send-text', { to: this.contact.jid, text, messageId });
      this.#toContact.push(text);
    }
  }

  /** Makes both sides write at once, so that each side encrypts a message while it decrypts one. */
  async writeAtOnce(): Promise<void> {
    await Promise.all([this.write('session'), this.write('contact')]);
  }

  keepUnderWay(to: Side): void {
    if (to === 'session') account.device.withholdDeliveries();
    else this.contact.inbox.withhold();
  }

  arrive(to: Side): void {
    if (to === 'session') account.device.deliverWithheld();
    else this.contact.inbox.deliverWithheld();
  }

  /** Checks that every message has arrived, decrypted, at the first attempt. */
  async allAreRead(): Promise<void> {
    this.arrive('session');
    this.arrive('contact');
    const toContact = () =>
      this.contact.received.flatMap(({ text, device }) => (device && text ? [text] : []));
    await waitFor(() => toContact().length >= this.#toContact.length, { what: 'messages at the contact' });
    await waitFor(async () => (await this.#atSession()).texts.length >= this.#toSession.length, {
      what: 'messages at the session',
    });
    expect(toContact().sort()).toEqual([...this.#toContact].sort());
    const { texts, unreadable } = await this.#atSession();
    expect(texts.sort()).toEqual([...this.#toSession].sort());
    expect(this.contact.inbox.unreadable, 'messages that the contact could not read').toEqual([]);
    expect(unreadable, 'messages that the session could not read').toEqual([]);
  }

  async #atSession(): Promise<{ texts: string[]; unreadable: unknown[] }> {
    const events = await account.current.events();
    const received = events
      .flatMap(({ event, payload }) =>
        event === 'messages.upsert' && Array.isArray(payload.messages) ? payload.messages : [],
      )
      .filter(({ key }) => !key.fromMe && JSON.stringify(key).includes(this.contact.lidUser));
    return {
      texts: received.flatMap(({ message }) => message?.conversation ?? []),
      unreadable: received.filter(({ messageStubType }) => messageStubType === CIPHERTEXT),
    };
  }
}

type Step =
  | { readonly act: 'write' | 'arrive' | 'keepUnderWay'; readonly side: Side }
  | { readonly act: 'writeAtOnce' }
  | { readonly act: 'takeOver'; readonly end: 'in order' | 'killed' };

const side = fc.constantFrom<Side>('session', 'contact');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('write' as const), side }) },
  { weight: 2, arbitrary: fc.constant<Step>({ act: 'writeAtOnce' }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('keepUnderWay' as const), side }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('arrive' as const), side }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('takeOver' as const),
      end: fc.constantFrom('in order' as const, 'killed' as const),
    }),
  },
);

/** The contact writes while it reads, as a random run found it: it encrypted both messages with one key. */
const writesWhileItReads: readonly Step[] = [
  { act: 'write', side: 'session' },
  { act: 'arrive', side: 'contact' },
  { act: 'keepUnderWay', side: 'contact' },
  { act: 'write', side: 'session' },
  { act: 'arrive', side: 'contact' },
  { act: 'keepUnderWay', side: 'contact' },
  { act: 'write', side: 'contact' },
  { act: 'write', side: 'session' },
  { act: 'write', side: 'contact' },
  { act: 'write', side: 'session' },
];

describe('every message of both sides is read at the first attempt', () => {
  test('when a new Signal session crosses messages of the old one', async () => {
    const both = new Correspondence();
    for (const from of ['contact', 'session', 'contact', 'session'] as const) {
      await both.write(from);
      await both.allAreRead();
    }
    await account.takeOver('in order');
    both.keepUnderWay('session');
    await both.write('contact');
    await both.write('contact');
    await both.write('session');
    await both.allAreRead();
    for (const from of ['contact', 'session', 'contact', 'session'] as const) {
      await both.write(from);
      await both.allAreRead();
    }
  });

  test('when both sides begin a Signal session at the same time', async () => {
    const both = new Correspondence();
    both.keepUnderWay('session');
    both.keepUnderWay('contact');
    for (const from of ['contact', 'session', 'contact', 'session'] as const) await both.write(from);
    await both.allAreRead();
    for (const from of ['contact', 'session', 'contact', 'session'] as const) {
      await both.write(from);
      await both.allAreRead();
    }
  });

  test('when the contact writes while it reads', async () => {
    const both = new Correspondence();
    await both.write('session');
    for (let round = 0; round < 5; round += 1) {
      both.keepUnderWay('contact');
      await both.write('session');
      both.arrive('contact');
      await both.write('contact');
      await both.write('contact');
    }
    await both.allAreRead();
  });

  test('whatever is under way while another worker takes the session', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 14 }), async (steps) => {
        const both = new Correspondence();
        for (const each of steps) {
          if (each.act === 'takeOver') await account.takeOver(each.end);
          else if (each.act === 'writeAtOnce') await both.writeAtOnce();
          else await both[each.act](each.side);
        }
        await both.allAreRead();
        for (const from of ['contact', 'session'] as const) await both.write(from);
        await both.allAreRead();
      }),
      { numRuns: 7, endOnFailure: true, examples: [[[...writesWhileItReads]]] },
    );
  });
});
