import { expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';

const { simulator, client, alice, carl } = useLinkedClient();

const tea = {
  id: '1',
  name: 'Tea',
  price: 12_500,
  currency: 'EUR',
  imageUrl: 'https://media.example/tea.jpg',
};

test('a client reads the profile, the catalogue and an order of a business', async () => {
  const { sock } = client;
  expect(await sock.getBusinessProfile(carl.jid)).toBeUndefined();
  await expect(sock.getCatalog({ jid: carl.jid })).rejects.toThrow();
  const business = simulator.businesses.open(carl);
  business.texts.set('description', 'Tea and cups');
  business.products = [tea, { id: '2', name: 'Cups' }];
  business.collections = [{ id: 'c', name: 'All', products: [tea] }];
  business.orders.push({ id: '77', token: 'AR4=', currency: 'EUR', items: [{ product: tea, quantity: 2 }] });

  expect(await sock.getBusinessProfile(carl.jid)).toMatchObject({ description: 'Tea and cups' });
  const first = await sock.getCatalog({ jid: carl.jid, limit: 1 });
  expect(first.products).toMatchObject([{ id: '1', name: 'Tea', price: 12_500, currency: 'EUR' }]);
  const next = await sock.getCatalog({ jid: carl.jid, limit: 1, cursor: first.nextPageCursor ?? '' });
  expect(next).toMatchObject({ products: [{ id: '2' }], nextPageCursor: undefined });
  const { collections } = await sock.getCollections(carl.jid);
  expect(collections).toMatchObject([{ id: 'c', name: 'All', products: [{ id: '1' }] }]);
  expect(await sock.getOrderDetails('77', 'AR4=')).toMatchObject({
    price: { total: 25_000, currency: 'EUR' },
    products: [{ id: '1', quantity: 2 }],
  });
  await expect(sock.getOrderDetails('77', 'wrong')).rejects.toThrow();
});

test('a client changes the profile of its own business', async () => {
  const business = simulator.businesses.open(alice);
  await client.sock.updateBussinesProfile({ description: 'Books', websites: ['https://books.example'] });
  expect([business.texts.get('description'), business.websites]).toEqual([
    'Books',
    ['https://books.example'],
  ]);
});
