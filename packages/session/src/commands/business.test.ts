import type { Phone } from '@wafleet/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type TestSession } from '../testing/harness.js';

let harness: Harness;
let anna: Phone;
let shop: Phone;
let test: TestSession;

const tea = {
  ...{ id: '1001', name: 'Tea', description: 'Green', retailerId: 'T-1', url: 'https://shop.example/tea' },
  ...{ price: 12_500, currency: 'EUR', imageUrl: 'https://media.example/tea.jpg' },
};
const cups = { id: '1002', name: 'Cups', isHidden: true };

beforeAll(async () => {
  harness = await Harness.start();
  const { simulator } = harness;
  anna = simulator.addPhone({ name: 'Anna' });
  shop = simulator.addPhone({ name: 'Shop' });
  const business = simulator.businesses.open(shop);
  business.texts.set('description', 'Tea and cups').set('email', 'tea@shop.example');
  business.websites = ['https://shop.example', 'https://tea.example'];
  business.categories = [{ id: '7', name: 'Grocery' }];
  business.hours = {
    timezone: 'Europe/Berlin',
    days: [
      { day_of_week: 'mon', mode: 'specific_hours', open_time: '540', close_time: '1080' },
      { day_of_week: 'tue', mode: 'open_24h' },
    ],
  };
  business.products = [tea, cups];
  business.collections = [
    { id: 'c1', name: 'All', products: [tea, cups] },
    { id: 'c2', name: 'New', products: [] },
  ];
  business.orders.push({ id: '77', token: 'AR4=', currency: 'EUR', items: [{ product: tea, quantity: 2 }] });
  test = await harness.newSession();
  await test.link(anna);
});
afterAll(() => harness.stop());

const BARE = { description: null, address: null, email: null, websites: [], categories: [], hours: null };
const shownTea = {
  ...{ id: '1001', name: 'Tea', priceAmount1000: 12_500, currencyCode: 'EUR', retailerId: 'T-1' },
  ...{ imageUrl: 'https://media.example/tea.jpg', isHidden: false },
};
const shownCups = {
  ...{ id: '1002', name: 'Cups', priceAmount1000: null, currencyCode: null, retailerId: null },
  ...{ imageUrl: null, isHidden: true },
};

describe('a business', () => {
  it('has a profile', async () => {
    for (const contact of [shop.number, shop.lid]) {
      expect(await test.session.execute('get-business-profile', { contact })).toEqual({
        description: 'Tea and cups',
        address: null,
        email: 'tea@shop.example',
        websites: ['https://shop.example', 'https://tea.example'],
        categories: [{ id: '7', name: 'Grocery' }],
        hours: {
          timezone: 'Europe/Berlin',
          days: [
            { day: 'mon', mode: 'specific_hours', opensAt: 540, closesAt: 1_080 },
            { day: 'tue', mode: 'open_24h' },
          ],
        },
      });
    }
  });

  it('has products, in pages', async () => {
    const first = await test.session.execute('get-catalog', { contact: shop.number, limit: 1 });
    expect(first).toEqual({
      items: [{ ...shownTea, description: 'Green', url: 'https://shop.example/tea' }],
      nextCursor: '1001',
    });
    const next = { contact: shop.number, limit: 1, cursor: first.nextCursor };
    expect(await test.session.execute('get-catalog', next)).toEqual({
      items: [{ ...shownCups, description: null, url: null }],
    });
  });

  it('has collections, in pages', async () => {
    const first = await test.session.execute('get-collections', { contact: shop.number, limit: 1 });
    expect(first).toEqual({
      items: [{ id: 'c1', name: 'All', products: [shownTea, shownCups] }],
      nextCursor: 'c1',
    });
    const next = { contact: shop.number, limit: 1, cursor: first.nextCursor };
    expect(await test.session.execute('get-collections', next)).toEqual({
      items: [{ id: 'c2', name: 'New', products: [] }],
    });
  });

  it('shows an order to those who have its token', async () => {
    expect(await test.session.execute('get-order', { order: '77', token: 'AR4=' })).toEqual({
      totalAmount1000: 25_000,
      currencyCode: 'EUR',
      products: [
        {
          ...{ id: '1001', name: 'Tea', priceAmount1000: 12_500, currencyCode: 'EUR' },
          ...{ imageUrl: 'https://media.example/tea.jpg', quantity: 2 },
        },
      ],
    });
    await expect(test.session.execute('get-order', { order: '77', token: 'wrong' })).rejects.toMatchObject({
      code: 'ORDER_NOT_FOUND',
    });
  });
});

it('is not every account', async () => {
  const carl = harness.simulator.addPhone({ name: 'Carl' });
  const contact = carl.number;
  for (const call of [
    () => test.session.execute('get-business-profile', { contact }),
    () => test.session.execute('get-catalog', { contact, limit: 10 }),
    () => test.session.execute('get-collections', { contact, limit: 10 }),
    () => test.session.execute('get-own-business-profile', {}),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'BUSINESS_NOT_FOUND' });
  }
  await expect(
    test.session.execute('get-business-profile', { contact: '15550000000' }),
  ).rejects.toMatchObject({ code: 'RECIPIENT_NOT_FOUND' });
  await expect(
    test.session.execute('change-business-profile', { description: 'Mine' }),
  ).rejects.toMatchObject({ code: 'WHATSAPP_REFUSED', details: { code: 403 } });
});

it('changes its own profile, and what is not named stays', async () => {
  const business = harness.simulator.businesses.open(anna);
  const change = (fields: Parameters<typeof test.session.execute<'change-business-profile'>>[1]) =>
    test.session.execute('change-business-profile', fields);
  await change({ description: 'Books', address: 'Street 1', websites: ['https://books.example'] });
  await change({
    address: '',
    hours: {
      timezone: 'Europe/Berlin',
      days: [{ day: 'sat', mode: 'specific_hours', opensAt: 600, closesAt: 720 }],
    },
  });
  expect(await test.session.execute('get-own-business-profile', {})).toEqual({
    ...{ ...BARE, description: 'Books', websites: ['https://books.example'] },
    hours: {
      timezone: 'Europe/Berlin',
      days: [{ day: 'sat', mode: 'specific_hours', opensAt: 600, closesAt: 720 }],
    },
  });
  await change({ websites: [] });
  expect(business.websites).toEqual([]);
});
