import type { WACallEvent } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { map } from '../testing/mapping.js';

const ANNA = '106825993066104@lid';
const call: WACallEvent = {
  id: 'c1',
  chatId: ANNA,
  from: ANNA,
  date: new Date(0),
  status: 'offer',
  offline: false,
};

test('a call whose stanza does not say who calls or when has what the contract promises', () => {
  const [event] = map('call', [{ ...call, from: '', date: new Date(Number.NaN) }]);
  expect(event?.payload).toMatchObject({ calls: [{ id: 'c1', from: ANNA, chatId: ANNA }] });
});

test('what has no id or no chat is left out', () => {
  const unknown = [
    { ...call, id: '' },
    { ...call, chatId: '' },
  ];
  expect(map('call', unknown)).toEqual([]);
  expect(map('call', [call, ...unknown])).toMatchObject([{ payload: { calls: [{ id: 'c1' }] } }]);
});
