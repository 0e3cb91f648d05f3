import { initAuthCreds } from '@whiskeysockets/baileys';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { asInSessions, SignalAccount } from '../../testing/signal-account.js';
import { installPatches } from './install.js';
import { quietLibsignal } from './quiet-libsignal.js';

type Encrypted = Awaited<ReturnType<SignalAccount['encrypt']>>;

beforeAll(() => quietLibsignal());

async function newAccount(phone: string): Promise<SignalAccount> {
  const account = await SignalAccount.create(phone, initAuthCreds(), asInSessions);
  account.store.answer = async () => {};
  return account;
}

async function next(from: SignalAccount, to: SignalAccount, text: string): Promise<string> {
  return to.decrypt(from, await from.encrypt(to, text));
}

/**
 * The contact writes while the account begins a new session, before it has received that message. Returns the text of
 * the contact's first message on the new session, which arrives after the crossing one.
 */
async function writeAcrossANewSession(): Promise<string> {
  const [account, contact] = [await newAccount('100000'), await newAccount('200000')];
  await account.begin(contact);
  await next(account, contact, 'hello');
  await next(contact, account, 'hi');
  await next(account, contact, 'how are you');
  const crossing = await contact.encrypt(account, 'crossing');
  await account.begin(contact);
  await next(account, contact, 'on the new session');
  // The old session's ratchet key is unknown to the new session, which is tried first.
  expect(await account.decrypt(contact, crossing)).toBe('crossing');
  return next(contact, account, 'reply');
}

// This comes first: the patches cannot be undone.
test('without the patches, a message of an old session damages the new one', async () => {
  await expect(writeAcrossANewSession()).rejects.toThrow();
});

describe('once the patches are installed', () => {
  beforeAll(() => installPatches());

  test('a message of an old session leaves the new one as it was', async () => {
    expect(await writeAcrossANewSession()).toBe('reply');
  });

  test('every undamaged message is decrypted once, whatever crossed, was lost, reordered, damaged or repeated', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const link = new Link(await newAccount('100000'), await newAccount('200000'));
        for (const { side, kind, place, byte } of steps) await link[kind](side, place, byte);
        await link.deliverAll();
      }),
      { numRuns: 60, endOnFailure: true },
    );
  }, 120_000);
});

const step = fc.record({
  side: fc.constantFrom<0 | 1>(0, 1),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant('send' as const) },
    { weight: 6, arbitrary: fc.constant('deliver' as const) },
    { weight: 2, arbitrary: fc.constant('begin' as const) },
    { weight: 2, arbitrary: fc.constant('damage' as const) },
    { weight: 1, arbitrary: fc.constant('repeat' as const) },
    { weight: 1, arbitrary: fc.constant('lose' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  ),
  place: fc.nat(),
  byte: fc.nat(),
});

type Side = 0 | 1;

interface Letter {
  readonly text: string;
  readonly encrypted: Encrypted;
}

/** Two accounts and the messages on their way to each of them, which arrive in any order. */
class Link {
  readonly #accounts: readonly [SignalAccount, SignalAccount];
  readonly #underWay: readonly [Letter[], Letter[]] = [[], []];
  readonly #delivered: readonly [Letter[], Letter[]] = [[], []];
  readonly #hasBegun = [false, false];
  #count = 0;

  constructor(first: SignalAccount, second: SignalAccount) {
    this.#accounts = [first, second];
  }

  async begin(side: Side): Promise<void> {
    await this.#accounts[side].begin(this.#accounts[other(side)]);
    this.#hasBegun[side] = true;
  }

  async send(side: Side): Promise<void> {
    if (!this.#hasBegun[side] && this.#delivered[side].length === 0) await this.begin(side);
    this.#count += 1;
    const text = `message ${this.#count}`;
    const encrypted = await this.#accounts[side].encrypt(this.#accounts[other(side)], text);
    this.#underWay[other(side)].push({ text, encrypted });
  }

  async deliver(side: Side, place: number): Promise<void> {
    const letter = this.#take(side, place);
    if (letter === undefined) return;
    expect(await this.#decrypt(side, letter.encrypted)).toBe(letter.text);
    this.#delivered[side].push(letter);
  }

  /** A damaged copy arrives first. Some bytes of a message are not authenticated, so the copy may be readable. */
  async damage(side: Side, place: number, byte: number): Promise<void> {
    const letters = this.#underWay[side];
    const letter = letters[place % Math.max(1, letters.length)];
    if (letter === undefined) return;
    const ciphertext = Uint8Array.from(letter.encrypted.ciphertext);
    const index = byte % ciphertext.length;
    ciphertext[index] = (ciphertext[index] ?? 0) ^ (1 + (byte % 255));
    const text = await this.#decrypt(side, { ...letter.encrypted, ciphertext }).catch(() => undefined);
    if (text === undefined) return;
    expect(text).toBe(letter.text);
    this.#delivered[side].push(...letters.splice(letters.indexOf(letter), 1));
  }

  async repeat(side: Side, place: number): Promise<void> {
    const letters = this.#delivered[side];
    const letter = letters[place % Math.max(1, letters.length)];
    if (letter !== undefined) await expect(this.#decrypt(side, letter.encrypted)).rejects.toThrow();
  }

  async lose(side: Side, place: number): Promise<void> {
    this.#take(side, place);
  }

  async restart(side: Side): Promise<void> {
    this.#accounts[side].reopen();
  }

  async deliverAll(): Promise<void> {
    for (const side of [0, 1] as const) {
      while (this.#underWay[side].length > 0) await this.deliver(side, 0);
    }
  }

  #take(side: Side, place: number): Letter | undefined {
    const letters = this.#underWay[side];
    return letters.splice(place % Math.max(1, letters.length), 1)[0];
  }

  #decrypt(side: Side, encrypted: Encrypted): Promise<string> {
    return this.#accounts[side].decrypt(this.#accounts[other(side)], encrypted);
  }
}

function other(side: Side): Side {
  return side === 0 ? 1 : 0;
}
