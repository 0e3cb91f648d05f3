import { expect, it } from 'vitest';
import { pageOf } from './page.js';

const idOf = (number: number) => `${String(number).padStart(4, '0')}@lid`;
const item = (number: number, text = '') => ({ id: idOf(number), text });

it('is in the order of the ids, after the cursor', () => {
  const all = [item(3), item(1), item(4), item(2)];
  const first = pageOf(all, { limit: 3 });
  expect(first).toEqual({ items: [item(1), item(2), item(3)], nextCursor: idOf(3) });
  expect(pageOf(all, { limit: 3, cursor: first.nextCursor })).toEqual({ items: [item(4)] });
  expect(pageOf(all, { limit: 4 })).toEqual({ items: all.toSorted((a, b) => (a.id < b.id ? -1 : 1)) });
  expect(pageOf([], { limit: 4 })).toEqual({ items: [] });
});

it('neither repeats nor leaves out an item when others come and go', () => {
  const { items, nextCursor } = pageOf([item(1), item(2), item(3)], { limit: 2 });
  expect(items).toEqual([item(1), item(2)]);
  expect(pageOf([item(1), item(3), item(0)], { limit: 2, cursor: nextCursor })).toEqual({ items: [item(3)] });
});

it('has at most 200 KiB, and one item in any case', () => {
  const large = 'ä'.repeat(60_000);
  const all = [item(1, large), item(2, large), item(3, large.repeat(3)), item(4)];
  expect(pageOf(all, { limit: 10 }).items.map(({ id }) => id)).toEqual([idOf(1)]);
  expect(pageOf(all, { limit: 10, cursor: idOf(1) })).toMatchObject({ nextCursor: idOf(2) });
  expect(pageOf(all, { limit: 10, cursor: idOf(2) })).toMatchObject({ items: [{ id: idOf(3) }] });
});
