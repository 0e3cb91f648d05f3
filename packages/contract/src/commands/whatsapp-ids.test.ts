import { describe, expect, it } from 'vitest';
import { personSchema, recipientSchema } from './whatsapp-ids.js';

describe('the id of a person', () => {
  it.each([
    ['15551234567', '15551234567'],
    ['+15551234567', '+15551234567'],
    ['15551234567@s.whatsapp.net', '15551234567@s.whatsapp.net'],
    ['15551234567@c.us', '15551234567@s.whatsapp.net'],
    ['106825993066104@lid', '106825993066104@lid'],
  ])('may be %s', (given, read) => {
    expect(personSchema.parse(given)).toBe(read);
    expect(recipientSchema.parse(given)).toBe(read);
    // What went over the bus is read again.
    expect(personSchema.parse(read)).toBe(read);
  });

  it.each([
    ...['', '0155512345', '1 555 123 4567', '15551234567@g.us', '15551234567@', '15551234567@c.us.evil'],
    ...[
      '15551234567:3@s.whatsapp.net',
      '15551234567:3@c.us',
      '106825993066104:7@lid',
      ':3@lid',
      '15551234567@lid@c.us',
      '15551234567@c.us\n',
    ],
    ...['+15551234567@c.us', '1555１234567', '15551234567_1@s.whatsapp.net'],
  ])('is not %j', (given) => {
    expect(personSchema.safeParse(given).success).toBe(false);
  });
});

it('a recipient may be a group, whose id has one spelling', () => {
  for (const id of ['120363061982759618@g.us', '4915100000001-1600000000@g.us']) {
    expect(recipientSchema.parse(id)).toBe(id);
  }
  expect(recipientSchema.safeParse('120363061982759618:1@g.us').success).toBe(false);
});
