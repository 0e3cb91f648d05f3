import { PartitionedLru } from '@wafleet/runtime';
import type { USyncQuery } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { Recipients } from './recipients.js';

const newRecipients = () => new Recipients(new PartitionedLru<string>({ max: 1_000 }).createPartition());

/** Knows numbers that begin with 1, and one under another spelling, as WhatsApp does with some numbers of Brazil. */
function directory({ saysNothing = false } = {}) {
  const queries: string[][] = [];
  const executeUSyncQuery = async ({ users }: USyncQuery) => {
    const numbers = users.map(({ phone = '' }) => phone.slice(1));
    queries.push(numbers);
    const list = numbers.map((number) => {
      const isRespelt = number === '5511987654321';
      const id = `${isRespelt ? '551187654321' : number}@s.whatsapp.net`;
      const contact = { isIn: isRespelt || number.startsWith('1'), asked: `+${number}` };
      return { id, ...(saysNothing ? {} : { contact }) };
    });
    return { list, sideList: [] };
  };
  return { queries, socket: { executeUSyncQuery } };
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
  expect(queries).toEqual([named]);
});

it('takes no answer that says nothing of a number for a no: WhatsApp gives it when it is asked for too much', async () => {
  const { socket } = directory({ saysNothing: true });
  await expect(newRecipients().find(socket, '15551230001')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(newRecipients().findAll(socket, ['15551230001'])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});
