import type { Phone } from '@wafleet/simulator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';
import { settingsShared } from '../testing/settings-shared.js';

let harness: Harness;
let test: TestSession;
let alice: Phone;
let bob: Phone;
let hidden: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  const { simulator } = harness;
  alice = simulator.addPhone({ name: 'Alice', number: '4915100000001' });
  bob = simulator.addPhone({ name: 'Bob', number: '4915100000002' });
  hidden = simulator.addPhone({ name: 'Hidden', hidesNumber: true });
  test = await harness.newSession();
  await test.link(alice);
  await settingsShared(test, bob.number);
});
afterEach(() => {
  harness.simulator.resume();
  alice.blocked.clear();
  for (const category of ['profile', 'status']) bob.privacy.set(category, 'all');
});
afterAll(() => harness.stop());

const bobs = () => ({ phone: bob.number, lid: bob.lid });

describe('checking numbers', () => {
  it('says of each number, in the order of the request, whether it is on WhatsApp', async () => {
    const numbers = ['19998887777', bob.number, '19998887776', alice.number, bob.number];
    const { items } = await test.session.execute('check-numbers', { numbers });
    expect(items).toEqual([
      { number: '19998887777', isOnWhatsApp: false, phone: null, lid: null },
      { number: bob.number, isOnWhatsApp: true, ...bobs() },
      { number: '19998887776', isOnWhatsApp: false, phone: null, lid: null },
      { number: alice.number, isOnWhatsApp: true, phone: alice.number, lid: alice.lid },
      { number: bob.number, isOnWhatsApp: true, ...bobs() },
    ]);
  });

  it('names the number that WhatsApp uses where it is not the one asked for', async () => {
    const carla = harness.simulator.addPhone({ name: 'Carla', number: '525512345678' });
    const { items } = await test.session.execute('check-numbers', {
      numbers: ['5215512345678', bob.number],
    });
    expect(items).toEqual([
      { number: '5215512345678', isOnWhatsApp: true, phone: '525512345678', lid: carla.lid },
      { number: bob.number, isOnWhatsApp: true, ...bobs() },
    ]);
  });

  it('stores nothing: the numbers are no contacts yet', async () => {
    const strangers = [1, 2, 3].map((each) =>
      harness.simulator.addPhone({ name: `Stranger ${each}`, number: `491520000000${each}` }),
    );
    const before = await harness.fieldsOf(test.fence, 'lid-mapping:');
    await test.session.execute('check-numbers', { numbers: strangers.map(({ number }) => number) });
    expect(await harness.fieldsOf(test.fence, 'lid-mapping:')).toEqual(before);
  });

  it('fails with the code and the reason when WhatsApp refuses', async () => {
    harness.simulator.refuseRequests('usync', 429);
    await expect(test.session.execute('check-numbers', { numbers: [bob.number] })).rejects.toMatchObject({
      code: 'WHATSAPP_REFUSED',
      details: { code: 429, reason: 'too many requests in a short time' },
    });
  });
});

describe('both ids of a person', () => {
  it.each([
    ['a number', () => `+${bob.number}`],
    ['an id by number', () => bob.jid],
  ])('are found by %s', async (_, contact) => {
    expect(await test.session.execute('get-contact', { contact: contact() })).toEqual(bobs());
  });

  it('are found by LID once the session knows the pair', async () => {
    const dora = harness.simulator.addPhone({ name: 'Dora', number: '4915100000004' });
    const contact = dora.lid;
    expect(await test.session.execute('get-contact', { contact })).toEqual({ phone: null, lid: dora.lid });
    await test.session.execute('get-contact', { contact: dora.number });
    expect(await test.session.execute('get-contact', { contact })).toEqual({
      phone: dora.number,
      lid: dora.lid,
    });
  });

  it('are refused for a number that is not on WhatsApp', async () => {
    const calls = ['get-contact', 'get-contact-about', 'block-contact', 'remove-contact'] as const;
    for (const call of calls) {
      await expect(test.session.execute(call, { contact: '19998887777' })).rejects.toMatchObject({
        code: 'RECIPIENT_NOT_FOUND',
      });
    }
  });
});

describe('the picture of a person', () => {
  const pictureOf = (size: 'preview' | 'full' = 'full') =>
    test.session.execute('get-contact-picture', { contact: bob.number, size });

  it('has an address, or none', async () => {
    expect(await pictureOf()).toEqual({ url: null });
    const { path } = bob.setPicture(Buffer.from('a picture'));
    expect(await pictureOf()).toEqual({ url: `https://${harness.simulator.host}${path}` });
    expect(await pictureOf('preview')).toEqual({ url: expect.stringContaining('https://') });
  });

  it('is shown by the privacy settings of the person', async () => {
    bob.setPicture(Buffer.from('a picture'));
    bob.privacy.set('profile', 'contacts');
    expect(await pictureOf()).toEqual({ url: null });
    await bob.settings.saveContact(alice, 'Alice');
    expect(await pictureOf()).toEqual({ url: expect.stringContaining('https://') });
    bob.privacy.set('profile', 'none');
    expect(await pictureOf()).toEqual({ url: null });
  });

  it('is an error if WhatsApp refuses for another reason', async () => {
    harness.simulator.refuseRequests('picture', 429);
    await expect(pictureOf()).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 429 } });
  });
});

describe('the about text of a person', () => {
  const aboutOf = () => test.session.execute('get-contact-about', { contact: bob.jid });

  it('is read, with its time', async () => {
    bob.about = 'At the sea';
    bob.aboutSetAt = 1_700_000_000;
    expect(await aboutOf()).toEqual({ about: 'At the sea', setAt: '2023-11-14T22:13:20.000Z' });
  });

  it('is null where the person hides it', async () => {
    bob.privacy.set('status', 'none');
    expect(await aboutOf()).toEqual({ about: null });
  });
});

describe('a saved contact', () => {
  const saved = (person: Phone) => alice.settings.state.entry('contact', person.jid)?.contactAction;

  it('is in the address book of the phone, and can be renamed and deleted', async () => {
    const contact = bob.number;
    await test.session.execute('save-contact', { contact, name: 'Bob Builder', savesOnPhone: true });
    expect(saved(bob)).toMatchObject({
      fullName: 'Bob Builder',
      firstName: 'Bob',
      lidJid: bob.lid,
      saveOnPrimaryAddressbook: true,
    });
    await test.event('contacts.upsert', '"name":"Bob Builder"', bob.lid);

    const renamed = { contact, name: 'Robert', firstName: 'Bobby', savesOnPhone: false };
    await test.session.execute('save-contact', renamed);
    expect(saved(bob)).toMatchObject({ fullName: 'Robert', firstName: 'Bobby' });
    expect(saved(bob)?.saveOnPrimaryAddressbook).toBe(false);

    await test.session.execute('remove-contact', { contact });
    expect(saved(bob)).toBeUndefined();
    await test.event('contacts.update', '"name":null', bob.jid);
  });

  it('is kept under the LID where the number is not known', async () => {
    const contact = hidden.lid;
    await test.session.execute('save-contact', { contact, name: 'Anna', savesOnPhone: true });
    const entry = () => alice.settings.state.entry('lid_contact', hidden.lid)?.lidContactAction;
    expect(entry()).toMatchObject({ fullName: 'Anna', firstName: 'Anna' });
    await test.event('contacts.upsert', '"name":"Anna"', hidden.lid);
    await test.session.execute('remove-contact', { contact });
    expect(entry()).toBeUndefined();
  });

  it('can be deleted though it was never saved, and others can be saved after it', async () => {
    await test.session.execute('remove-contact', { contact: bob.number });
    await test.session.execute('save-contact', { contact: alice.number, name: 'Me', savesOnPhone: true });
    expect(saved(alice)?.fullName).toBe('Me');
  });

  it('can be saved and deleted again and again', async () => {
    const contact = bob.number;
    for (const name of ['Bob 1', 'Bob 2', 'Bob 3']) {
      await test.session.execute('save-contact', { contact, name, savesOnPhone: true });
      expect(saved(bob)?.fullName).toBe(name);
      await test.session.execute('remove-contact', { contact });
      await test.session.execute('remove-contact', { contact });
      expect(saved(bob)).toBeUndefined();
    }
  });
});

describe('blocking', () => {
  const blocked = () => test.session.execute('list-blocked', {});

  it('blocks a person by either id, and unblocks', async () => {
    const frank = harness.simulator.addPhone({ name: 'Frank', number: '4915100000006' });
    expect(await blocked()).toEqual({ items: [] });
    await test.session.execute('block-contact', { contact: bob.number });
    await test.session.execute('get-contact', { contact: frank.number });
    await test.session.execute('block-contact', { contact: frank.lid });
    expect([...alice.blocked]).toEqual([bob, frank]);
    await test.event('contacts.update', bob.lid, '"blocked":true');
    const items = [bobs(), { phone: frank.number, lid: frank.lid }];
    const { items: listed, nextCursor } = await blocked();
    expect(listed.toSorted((a, b) => String(a.phone).localeCompare(String(b.phone)))).toEqual(items);
    expect(nextCursor).toBeUndefined();

    await test.session.execute('unblock-contact', { contact: bob.jid });
    await test.event('contacts.update', bob.lid, '"blocked":false');
    await test.session.execute('unblock-contact', { contact: frank.lid });
    expect(await blocked()).toEqual({ items: [] });
  });

  it('needs the number of a person', async () => {
    await expect(test.session.execute('block-contact', { contact: hidden.lid })).rejects.toMatchObject({
      code: 'NUMBER_NOT_KNOWN',
    });
    expect(alice.blocked.size).toBe(0);
  });

  it('lists many people page by page, each of them once', async () => {
    const many = Array.from({ length: 501 }, (_, index) =>
      harness.simulator.addPhone({ name: 'Spam', number: String(33_600_000_000 + index) }),
    );
    for (const each of many) alice.blocked.add(each);
    const first = await blocked();
    expect(first.items).toHaveLength(500);
    const rest = await test.session.execute('list-blocked', { cursor: first.nextCursor });
    expect(rest.nextCursor).toBeUndefined();
    const lids = [...first.items, ...rest.items].map(({ lid }) => lid);
    expect(new Set(lids)).toEqual(new Set(many.map(({ lid }) => lid)));
    expect(lids).toHaveLength(501);
  });
});

it('presence comes after a subscription', async () => {
  await test.session.execute('subscribe-to-presence', { contact: bob.number });
  bob.setPresence({ type: 'available' });
  await test.event('presence.update', '"lastKnownPresence":"available"', bob.jid);
});
