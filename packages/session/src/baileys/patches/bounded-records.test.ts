import { initAuthCreds } from '@whiskeysockets/baileys';
import { beforeAll, describe, expect, test } from 'vitest';
import { asInSessions, SignalAccount } from '../../testing/signal-account.js';
import { installPatches } from './install.js';
import { quietLibsignal } from './quiet-libsignal.js';

const GROUP = '100000-1@g.us';

beforeAll(() => quietLibsignal());

async function pair(): Promise<[SignalAccount, SignalAccount]> {
  const names = ['100000', '200000'];
  const [account, contact] = await Promise.all(
    names.map((name) => SignalAccount.create(name, initAuthCreds(), asInSessions)),
  );
  if (account === undefined || contact === undefined) throw new Error('two accounts are needed');
  for (const { store } of [account, contact]) store.answer = async () => {};
  await account.begin(contact);
  return [account, contact];
}

async function recordOf(account: SignalAccount): Promise<string> {
  return JSON.stringify(await account.store.get('session', ['200000.0']));
}

async function alternate(account: SignalAccount, contact: SignalAccount, times: number): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    await contact.decrypt(account, await account.encrypt(contact, 'there'));
    await account.decrypt(contact, await contact.encrypt(account, 'back'));
  }
}

/** Sends a number of messages to a group. Each distributes the sender key, and is decrypted. */
async function writeToGroup(account: SignalAccount, contact: SignalAccount, count: number): Promise<void> {
  for (let message = 0; message < count; message += 1) {
    const { ciphertext, senderKeyDistributionMessage } = await account.repository.encryptGroupMessage({
      group: GROUP,
      meId: account.jid,
      data: Buffer.from(`message ${message}`),
    });
    await contact.repository.processSenderKeyDistributionMessage({
      item: { groupId: GROUP, axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage },
      authorJid: account.jid,
    });
    const request = { group: GROUP, authorJid: account.jid, msg: ciphertext };
    expect(Buffer.from(await contact.repository.decryptGroupMessage(request)).toString()).toBe(
      `message ${message}`,
    );
  }
}

async function senderKeyStates(account: SignalAccount): Promise<{ senderMessageKeys: unknown[] }[]> {
  const id = `${GROUP}::100000::0`;
  const { [id]: record } = await account.store.get('sender-key', [id]);
  return JSON.parse(Buffer.from(record ?? []).toString());
}

// This comes first: the patches cannot be undone.
describe('without the patches', () => {
  test('a record keeps a chain for each change of direction', async () => {
    const [account, contact] = await pair();
    await alternate(account, contact, 60);
    expect((await recordOf(account)).match(/"chainType":2/g)).toHaveLength(60);
  });

  test('a sender key keeps every second message key, and receivers keep its state many times', async () => {
    const [account, contact] = await pair();
    await writeToGroup(account, contact, 10);
    expect((await senderKeyStates(account))[0]?.senderMessageKeys).not.toEqual([]);
    expect(await senderKeyStates(contact)).toHaveLength(5);
  });
});

describe('once the patches are installed', () => {
  beforeAll(() => installPatches());

  test('a record keeps the newest chains', async () => {
    const [account, contact] = await pair();
    await alternate(account, contact, 60);
    expect((await recordOf(account)).match(/"chainType":2/g)).toHaveLength(41);
    expect((await recordOf(account)).length).toBeLessThan(8_000);
  });

  test('a message that is late by 30 changes of direction is decrypted', async () => {
    const [account, contact] = await pair();
    await alternate(account, contact, 5);
    const late = await contact.encrypt(account, 'late');
    await alternate(account, contact, 30);
    expect(await account.decrypt(contact, late)).toBe('late');
  });

  test('a record keeps the newest 2,000 message keys when a contact skips messages', async () => {
    const [account, contact] = await pair();
    await alternate(account, contact, 1);
    const leftOut: Awaited<ReturnType<SignalAccount['encrypt']>>[] = [];
    for (let message = 0; message < 1_500; message += 1)
      leftOut.push(await contact.encrypt(account, 'left out'));
    await account.decrypt(contact, await contact.encrypt(account, 'next'));
    for (let message = 0; message < 1_500; message += 1)
      leftOut.push(await contact.encrypt(account, 'left out'));
    await account.decrypt(contact, await contact.encrypt(account, 'next'));
    const [record] = Object.values(await account.store.get('session', ['200000.0']));
    const keys = JSON.stringify(record).match(/"\d+":/g);
    expect(keys).toHaveLength(2_000);
    const [oldest, newest] = [leftOut[0], leftOut.at(-1)];
    if (oldest === undefined || newest === undefined) throw new Error('nothing was left out');
    await expect(account.decrypt(contact, oldest)).rejects.toThrow();
    expect(await account.decrypt(contact, newest)).toBe('left out');
  });

  test('a sender key has no message keys, and receivers keep its state once', async () => {
    const [account, contact] = await pair();
    await writeToGroup(account, contact, 10);
    expect((await senderKeyStates(account)).map(({ senderMessageKeys }) => senderMessageKeys)).toEqual([[]]);
    expect((await senderKeyStates(contact)).map(({ senderMessageKeys }) => senderMessageKeys)).toEqual([[]]);
  });
});
