import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { jpegOf } from '../testing/jpeg.js';
import { linkedAccount } from '../testing/linked-account.js';
import { settingsShared } from '../testing/settings-shared.js';

const { harness, anna: alice, carl: bob, test } = await linkedAccount();
beforeAll(() => settingsShared(test, bob.number));
afterEach(() => harness.simulator.resume());

const profile = () => test.session.execute('get-profile', {});

describe('the profile', () => {
  it('has the ids of the account, its name and its about text', async () => {
    expect(await profile()).toEqual({
      phone: alice.number,
      lid: alice.lid,
      name: alice.name,
      about: alice.about,
      pictureUrl: null,
    });
  });

  it('gets another name, which people see', async () => {
    await test.session.execute('set-profile-name', { name: 'Alice & Co' });
    expect(alice.name).toBe('Alice & Co');
    await test.event('creds.update', '"name":"Alice & Co"');
    expect(await profile()).toMatchObject({ name: 'Alice & Co' });
  });

  it('gets another about text, or none', async () => {
    await test.session.execute('set-about', { about: 'Open till six ☕' });
    expect(alice.about).toBe('Open till six ☕');
    expect(await profile()).toMatchObject({ about: 'Open till six ☕', aboutSetAt: expect.any(String) });
    await test.session.execute('set-about', { about: '' });
    expect(alice.about).toBe('');
    expect(await profile()).toMatchObject({ about: null });
  });
});

describe('the profile picture', () => {
  const set = (image: Buffer) => test.session.execute('set-picture', { image: image.toString('base64') });

  it('is set as it is, and removed', async () => {
    const image = jpegOf(640, 640);
    await set(image);
    const picture = harness.simulator.pictures.of(alice);
    expect(harness.simulator.media.get(picture?.path ?? '')).toEqual(image);
    expect(await profile()).toMatchObject({
      pictureUrl: `https://${harness.simulator.host}${picture?.path}`,
    });
    await test.session.execute('remove-picture', {});
    expect(harness.simulator.pictures.of(alice)).toBeUndefined();
    await test.event('contacts.update', '"imgUrl":"removed"', alice.jid);
  });

  it.each([
    ['not-jpeg', Buffer.from('GIF89a')],
    ['not-jpeg', Buffer.from('ffd8ffe0ffff', 'hex')],
    ['not-square', jpegOf(640, 480)],
    ['too-small', jpegOf(96, 96)],
    ['too-large', jpegOf(1_024, 1_024)],
  ])('is refused as %s, and the one before stays', async (problem, image) => {
    await set(jpegOf(192, 192));
    const before = harness.simulator.pictures.of(alice);
    await expect(set(image)).rejects.toMatchObject({ code: 'PICTURE_INVALID', details: { problem } });
    expect(harness.simulator.pictures.of(alice)).toBe(before);
  });
});

describe('privacy', () => {
  const privacy = () => test.session.execute('get-privacy', {});

  it('is read, each setting by its name', async () => {
    expect(await privacy()).toEqual({
      lastSeen: 'all',
      online: 'all',
      picture: 'all',
      about: 'all',
      readReceipts: 'all',
      groupsAdd: 'all',
      calls: 'all',
      messages: 'all',
      defaultDisappearing: 0,
    });
  });

  it.each([
    ['last', { lastSeen: 'none' }],
    ['online', { online: 'match_last_seen' }],
    ['profile', { picture: 'contacts' }],
    ['status', { about: 'none' }],
    ['groupadd', { groupsAdd: 'contacts' }],
    ['calladd', { calls: 'known' }],
    ['messages', { messages: 'contacts' }],
  ] as const)('is set in the account: %s', async (category, setting) => {
    await test.session.execute('set-privacy', setting);
    const [value] = Object.values(setting);
    expect(alice.privacy.get(category)).toBe(value);
    expect(await privacy()).toMatchObject(setting);
  });

  it('of new chats: their messages disappear', async () => {
    await test.session.execute('set-privacy', { defaultDisappearing: 604_800 });
    expect(alice.disappearingMode.duration).toBe(604_800);
    expect(await privacy()).toMatchObject({ defaultDisappearing: 604_800 });
  });

  it('of read receipts holds for the next message that is read', async () => {
    await harness.storeSettings(test.fence, { autoRead: true });
    await test.session.execute('settings-changed', {});
    const readBy = ({ id }: { id: string }) =>
      bob.inbox.receipts.some(({ ids, type }) => type === 'read' && ids.includes(id));
    const readByOwn = ({ id }: { id: string }) =>
      alice.inbox.receipts.some(({ ids, type }) => type === 'read-self' && ids.includes(id));
    const first = await bob.send(alice, 'seen');
    await expect.poll(() => readBy(first), { timeout: 10_000 }).toBe(true);

    await test.session.execute('set-privacy', { readReceipts: 'none' });
    expect(alice.privacy.get('readreceipts')).toBe('none');
    const second = await bob.send(alice, 'not seen');
    await expect.poll(() => readByOwn(second), { timeout: 10_000 }).toBe(true);
    expect(readBy(second)).toBe(false);
  });

  it('fails with the code when WhatsApp refuses', async () => {
    harness.simulator.refuseRequests('privacy', 429);
    await expect(test.session.execute('set-privacy', { lastSeen: 'all' })).rejects.toMatchObject({
      code: 'WHATSAPP_REFUSED',
      details: { code: 429 },
    });
    expect(alice.privacy.get('last')).toBe('none');
  });
});

it('the account shows as available, and no longer', async () => {
  const presence = () => harness.simulator.presence.of(alice).type;
  await test.session.execute('set-presence', { presence: 'available' });
  await expect.poll(presence).toBe('available');
  await test.session.execute('set-presence', { presence: 'unavailable' });
  await expect.poll(presence).toBe('unavailable');
});
