import { expect, it } from 'vitest';
import { readAnswers } from './check-numbers.js';

const ada = { id: '15550001001@s.whatsapp.net', lid: '106825993066104@lid' };

it('finds a person by the number that was asked for, or else by that of the id', () => {
  const asked = { ...ada, contact: { isIn: true, asked: '+5215550001001' } };
  expect(readAnswers([asked])).toEqual(new Map([['5215550001001', ada]]));
  const notSaid = { ...ada, contact: { isIn: true, asked: undefined } };
  expect(readAnswers([notSaid])).toEqual(new Map([['15550001001', ada]]));
});

it('leaves out who is not on WhatsApp', () => {
  const answers = [
    { ...ada, contact: { isIn: true, asked: '+15550001001' } },
    { id: '19998887777@s.whatsapp.net', contact: { isIn: false, asked: '+19998887777' } },
  ];
  expect(readAnswers(answers)).toEqual(new Map([['15550001001', ada]]));
});

it('does not take an answer that says nothing of the numbers for a no', () => {
  expect(readAnswers([])).toBeUndefined();
  expect(readAnswers([ada])).toBeUndefined();
});
