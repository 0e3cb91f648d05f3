import { PartitionedLru } from '@wafleet/runtime';
import { expect, it } from 'vitest';
import { Recipients } from './recipients.js';

const newRecipients = () => new Recipients(new PartitionedLru<string>({ max: 1_000 }).createPartition());

/** Knows numbers that begin with 1, and one under another spelling, as WhatsApp does with some numbers of Brazil. */
function directory() {
  const queries: string[][] = [];
  const onWhatsApp = async (...numbers: string[]) => {
    queries.push(numbers);
    return numbers
      .filter((number) => number.startsWith('1') || number === '5511987654321')
      .map((number) => (number === '5511987654321' ? '551187654321' : number))
      .map((number) => ({ jid: `${number}@s.whatsapp.net`, exists: true }));
  };
  return { queries, socket: { onWhatsApp } };
}

it('asks for 50 numbers at a time, for each once, and leaves ids unchanged', async () => {
  const { queries, socket } = directory();
  const recipients = newRecipients();
  const numbers = Array.from({ length: 60 }, (_, index) => String(15_551_230_000 + index));
  const named = [...numbers, `+${numbers[0]}`, '99999999999', '77@lid', '120363061982759618@g.us'];
  const found = await recipients.findAll(socket, named);
  expect(found.slice(0, 60)).toEqual(numbers.map((number) => `${number}@s.whatsapp.net`));
  expect(found.slice(60)).toEqual([
    `${numbers[0]}@s.whatsapp.net`,
    undefined,
    '77@lid',
    '120363061982759618@g.us',
  ]);
  expect(queries.map(({ length }) => length)).toEqual([50, 11]);
  await recipients.findAll(socket, numbers);
  expect(queries).toHaveLength(2);
});

it('finds a number that WhatsApp spells in another way', async () => {
  const { queries, socket } = directory();
  const named = ['15551230001', '99999999999', '5511987654321', '88888888888'];
  expect(await newRecipients().findAll(socket, named)).toEqual([
    '15551230001@s.whatsapp.net',
    undefined,
    '551187654321@s.whatsapp.net',
    undefined,
  ]);
  expect(queries).toEqual([named, ['99999999999'], ['5511987654321']]);
});
