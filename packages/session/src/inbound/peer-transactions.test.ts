import { beforeAll, expect, test } from 'vitest';
import { newCredentials } from '../baileys/baileys.js';
import { quietLibsignal } from '../baileys/patches/quiet-libsignal.js';
import { asInSessions, SignalAccount, type Wrap } from '../testing/signal-account.js';

beforeAll(() => quietLibsignal());

/** An account and a contact that have exchanged messages. */
async function acquainted(wrap?: Wrap): Promise<[SignalAccount, SignalAccount]> {
  const account = await SignalAccount.create('100000', newCredentials(), wrap);
  const contact = await SignalAccount.create('200000', newCredentials());
  await account.begin(contact);
  await contact.decrypt(account, await account.encrypt(contact, 'hello'));
  await account.decrypt(contact, await contact.encrypt(account, 'hi'));
  return [account, contact];
}

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
}

/** Receives a message while it sends one. If nothing delays the receiving, the sending is stored after it. */
async function receiveDuringSend(
  account: SignalAccount,
  contact: SignalAccount,
  { isHeldUp }: { isHeldUp: boolean },
) {
  const received = await contact.encrypt(account, 'received');
  const [encrypted, stored] = [signal(), signal()];
  const sending = account.keys.transaction(async () => {
    const message = await account.encrypt(contact, 'sent');
    encrypted.give();
    await stored.given;
    return message;
  }, account.jid);
  await encrypted.given;
  const receiving = account.decrypt(contact, received);
  if (!isHeldUp) await receiving;
  stored.give();
  const [sent] = await Promise.all([sending, receiving]);
  account.reopen();
  expect(await contact.decrypt(account, sent)).toBe('sent');
  return received;
}

async function nextText(from: SignalAccount, to: SignalAccount): Promise<string> {
  return to.decrypt(from, await from.encrypt(to, 'next'));
}

test('without turns, sending a message while another is received overwrites the state of the received one', async () => {
  const [account, contact] = await acquainted();
  const received = await receiveDuringSend(account, contact, { isHeldUp: false });
  // The key of the received message is still there.
  expect(await account.decrypt(contact, received)).toBe('received');
});

test('a message is received while another is sent to the same peer, and both are stored', async () => {
  const [account, contact] = await acquainted(asInSessions);
  const received = await receiveDuringSend(account, contact, { isHeldUp: true });
  await expect(account.decrypt(contact, received)).rejects.toThrow();
  expect(await nextText(account, contact)).toBe('next');
  expect(await nextText(contact, account)).toBe('next');
});

test('a sending that fails releases its turns, including those that it still waits for', async () => {
  const [account, contact] = await acquainted(asInSessions);
  const other = await SignalAccount.create('300000', newCredentials());
  await account.begin(other);
  const held = signal();
  const first = account.keys.transaction(async () => {
    await account.encrypt(other, 'first');
    await held.given;
  }, 'first');
  const failing = account.keys.transaction(async () => {
    await account.encrypt(contact, 'lost');
    await Promise.all([account.encrypt(other, 'lost'), Promise.reject(new Error('no connection'))]);
  }, 'second');
  await expect(failing).rejects.toThrow('no connection');
  expect(await nextText(account, contact)).toBe('next');
  held.give();
  await first;
  expect(await nextText(account, other)).toBe('next');
});

test('one sending may work on a peer several times, also at once', async () => {
  const [account, contact] = await acquainted(asInSessions);
  const texts = ['1', '2', '3', '4'];
  const messages = await account.keys.transaction(
    () => Promise.all(texts.map((text) => account.encrypt(contact, text))),
    account.jid,
  );
  for (const [index, message] of messages.entries()) {
    expect(await contact.decrypt(account, message)).toBe(texts[index]);
  }
});

test('work that outlives its sending takes turns of its own', async () => {
  const [account, contact] = await acquainted(asInSessions);
  const over = signal();
  let later: Promise<unknown> = Promise.resolve();
  await account.keys.transaction(async () => {
    later = over.given.then(() => account.encrypt(contact, 'late'));
  }, account.jid);
  over.give();
  await later;
  expect(await nextText(account, contact)).toBe('next');
});

test('a message with a damaged identity key does not cost the Signal session with its sender', async () => {
  const [account, contact] = await acquainted(asInSessions);
  await contact.begin(account);
  await nextText(contact, account);
  const { type, ciphertext } = await contact.encrypt(account, 'hello');
  expect(type).toBe('pkmsg');
  // A version byte, the pre-key's id (2), the base key (2 + 33), and the tag, length and type of the identity key.
  const damaged = Uint8Array.from(ciphertext);
  damaged[45] = (damaged[45] ?? 0) ^ 1;
  await expect(account.decrypt(contact, { type, ciphertext: damaged })).rejects.toThrow();
  expect(await nextText(account, contact)).toBe('next');
  expect(await account.decrypt(contact, { type, ciphertext })).toBe('hello');
});

const LID = '900000@lid';

test('a message that is received by LID while another is sent by number is stored, and so is the other', async () => {
  const [account, contact] = await acquainted(asInSessions);
  await account.keys.set({ 'device-list': { 200000: ['0'] } });
  await account.repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: contact.jid }]);
  await account.repository.migrateSession(contact.jid, LID);
  for (let count = 0; count < 20; count += 1) {
    const received = await contact.encrypt(account, 'received');
    const encrypted = signal();
    const sending = account.keys.transaction(async () => {
      const message = await account.encrypt(contact, 'sent', contact.jid);
      encrypted.give();
      await account.store.answer();
      return message;
    }, account.jid);
    await encrypted.given;
    const receiving = account.decrypt(contact, received, LID);
    const [sent] = await Promise.all([sending, receiving]);
    expect(await contact.decrypt(account, sent)).toBe('sent');
    await expect(account.decrypt(contact, received, LID)).rejects.toThrow();
  }
});

test('a Signal session moves to a LID that is learned while a message is sent to the number', async () => {
  const [account, contact] = await acquainted(asInSessions);
  await account.keys.set({ 'device-list': { 200000: ['0'] } });
  const received = await contact.encrypt(account, 'received');
  const [encrypted, stored] = [signal(), signal()];
  const sending = account.keys.transaction(async () => {
    const first = await account.encrypt(contact, 'first');
    encrypted.give();
    await stored.given;
    return [first, await account.encrypt(contact, 'second')];
  }, account.jid);
  await encrypted.given;
  await account.repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: contact.jid }]);
  const moving = account.repository.migrateSession(contact.jid, LID);
  const receiving = account.decrypt(contact, received, LID);
  stored.give();
  const [sent] = await Promise.all([sending, moving, receiving]);
  const texts: string[] = [];
  for (const message of sent) texts.push(await contact.decrypt(account, message));
  expect(texts).toEqual(['first', 'second']);
  account.reopen();
  await expect(account.decrypt(contact, received, LID)).rejects.toThrow('No matching sessions');
  expect(await account.decrypt(contact, await contact.encrypt(account, 'next'), LID)).toBe('next');
  expect(await contact.decrypt(account, await account.encrypt(contact, 'next', contact.jid))).toBe('next');
});

test('a sending that looks for a Signal session first does not undo a message received meanwhile', async () => {
  const [account, contact] = await acquainted(asInSessions);
  const received = await contact.encrypt(account, 'received');
  const [lookedUp, stored] = [signal(), signal()];
  const sending = account.keys.transaction(async () => {
    expect(await account.repository.validateSession(contact.jid)).toEqual({ exists: true });
    lookedUp.give();
    await stored.given;
    return account.encrypt(contact, 'sent');
  }, account.jid);
  await lookedUp.given;
  await account.decrypt(contact, received);
  stored.give();
  expect(await contact.decrypt(account, await sending)).toBe('sent');
  await expect(account.decrypt(contact, received)).rejects.toThrow();
});

test('a Signal session that is deleted by number is gone under the LID as well', async () => {
  const [account, contact] = await acquainted(asInSessions);
  await account.keys.set({ 'device-list': { 200000: ['0'] } });
  await account.repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: contact.jid }]);
  await account.repository.migrateSession(contact.jid, LID);
  expect(await account.repository.validateSession(LID)).toEqual({ exists: true });
  await account.repository.deleteSession([contact.jid]);
  expect(await account.repository.validateSession(LID)).toMatchObject({ exists: false });
});

/** Both the number and the LID of a contact have Signal sessions when it becomes known that they are one person. */
async function moveToLidInUse(wrap?: Wrap): Promise<{ onNumber: string; onLid: string }> {
  const [account, contact] = await acquainted(wrap);
  await account.keys.set({ 'device-list': { 200000: ['0'] } });
  const underWay = await contact.encrypt(account, 'on the number');
  await contact.begin(account);
  await account.decrypt(contact, await contact.encrypt(account, 'hello'), LID);
  await contact.decrypt(account, await account.encrypt(contact, 'hi', LID));
  await account.repository.lidMapping.storeLIDPNMappings([{ lid: LID, pn: contact.jid }]);
  await account.repository.migrateSession(contact.jid, LID);
  account.reopen();
  const onLid = await account.decrypt(contact, await contact.encrypt(account, 'on the LID'), LID);
  const onNumber = await account.decrypt(contact, underWay, LID);
  expect(await contact.decrypt(account, await account.encrypt(contact, 'next', LID))).toBe('next');
  expect(await nextText(contact, account)).toBe('next');
  return { onNumber, onLid };
}

test('by itself Baileys replaces the Signal sessions of a LID by those of the number', async () => {
  await expect(moveToLidInUse()).rejects.toThrow('No matching sessions');
});

test('moving the Signal sessions of a number to a LID keeps the sessions of the LID', async () => {
  expect(await moveToLidInUse(asInSessions)).toEqual({ onNumber: 'on the number', onLid: 'on the LID' });
});
