import { initAuthCreds } from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SignalAccount } from '../../testing/signal-account.js';
import { installPatches } from './install.js';
import { quietLibsignal } from './quiet-libsignal.js';

const ACCOUNTS = 20;
const MESSAGES = 10;

beforeAll(() => quietLibsignal());

const newAccount = (phone: string) => SignalAccount.create(phone, initAuthCreds());

async function makeAccounts(count: number): Promise<SignalAccount[]> {
  const phones = Array.from({ length: count }, (_, index) => String(100_000 + index));
  return Promise.all(phones.map(newAccount));
}

/** A contact writes to all accounts at once. Returns how many of them stored the state after their last decryption. */
async function receiveFromOneContact(accounts: readonly SignalAccount[]): Promise<{ upToDate: number }> {
  const contact = await newAccount('200000');
  contact.store.answer = async () => {};
  const upToDate = await Promise.all(
    accounts.map(async (account) => {
      await contact.begin(account);
      let message = await contact.encrypt(account, '0');
      await account.decrypt(contact, message);
      for (let number = 1; number < MESSAGES; number += 1) {
        message = await contact.encrypt(account, String(number));
        expect(await account.decrypt(contact, message)).toBe(String(number));
      }
      account.reopen();
      // An account that has stored the decryption of a message no longer has a key for it.
      return account.decrypt(contact, message).then(
        () => false,
        () => true,
      );
    }),
  );
  return { upToDate: upToDate.filter(Boolean).length };
}

// This comes first: the patches cannot be undone.
test('without the patches, accounts that share a contact lose what they store', async () => {
  const { upToDate } = await receiveFromOneContact(await makeAccounts(5));
  expect(upToDate).toBeLessThan(5);
});

describe('once the patches are installed', () => {
  beforeAll(() => installPatches());

  test('accounts that share a contact store each message, in one write', async () => {
    const accounts = await makeAccounts(ACCOUNTS);
    expect(await receiveFromOneContact(accounts)).toEqual({ upToDate: ACCOUNTS });
    const [first, ...later] = [['pre-key', 'session'], ...Array(MESSAGES - 1).fill(['session'])];
    for (const { store } of accounts) expect(store.writes).toEqual([['identity-key'], first, ...later]);
  });

  test('sessions with one contact that accounts begin at once are each written in one transaction', async () => {
    const accounts = await makeAccounts(ACCOUNTS);
    const contact = await newAccount('200000');
    await Promise.all(
      accounts.map((account) =>
        account.keys.transaction(async () => {
          await account.begin(contact);
          await account.keys.set({ 'device-list': { 200000: ['0'] } });
        }, account.jid),
      ),
    );
    for (const { store } of accounts) expect(store.writes).toEqual([['device-list', 'session']]);
    const [account] = accounts;
    if (account === undefined) throw new Error('accounts were asked for');
    expect(await contact.decrypt(account, await account.encrypt(contact, 'hello'))).toBe('hello');
  });

  test('an account whose storage does not answer does not block other accounts', async () => {
    const [stuck, other] = await makeAccounts(2);
    const contact = await newAccount('200000');
    if (stuck === undefined || other === undefined) throw new Error('two accounts were asked for');
    await Promise.all([contact.begin(stuck), contact.begin(other)]);
    const [toStuck, toOther] = await Promise.all([contact.encrypt(stuck, '1'), contact.encrypt(other, '2')]);
    let letGo = () => {};
    const answer = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    onTestFinished(() => letGo());
    stuck.store.answer = () => answer;
    const held = Promise.all([stuck.begin(contact), stuck.decrypt(contact, toStuck)]);
    await other.begin(contact);
    expect(await other.decrypt(contact, toOther)).toBe('2');
    letGo();
    expect(await held).toEqual([undefined, '1']);
  });

  test('work of one account on one peer is done one by one, in the order in which it was asked for', async () => {
    const [account] = await makeAccounts(1);
    const contact = await newAccount('200000');
    if (account === undefined) throw new Error('an account was asked for');
    await contact.begin(account);
    const texts = Array.from({ length: MESSAGES }, (_, index) => String(index));
    const messages = await Promise.all(texts.map((text) => contact.encrypt(account, text)));
    expect(await Promise.all(messages.map((message) => account.decrypt(contact, message)))).toEqual(texts);
    const again = await Promise.allSettled(messages.map((message) => account.decrypt(contact, message)));
    expect(again.map(({ status }) => status)).toEqual(texts.map(() => 'rejected'));
  });
});
