import { createJobBodySchema } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { messagesOfJob } from './messages-of-job.js';

const to = '15550001001';

function made(message: object, ...variables: (Record<string, string> | undefined)[]) {
  const recipients = variables.map((each) => ({ to, ...(each && { variables: each }) }));
  return messagesOfJob(createJobBodySchema.parse({ message, recipients }));
}

const refused = (path: string, message: string) =>
  expect.objectContaining({
    code: 'VALIDATION_FAILED',
    message: expect.stringMatching(`${path}: .*${message}`),
    details: { issues: [{ path, message: expect.stringContaining(message) }] },
  });

function errorOf(make: () => unknown): unknown {
  try {
    make();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was refused');
}

describe('a message with variables', () => {
  it('has those of each recipient, in all of its texts', () => {
    expect(made({ text: '{{a}} and {{ b }}' }, { a: '1', b: '2' }, { a: '3', b: '4' })).toEqual([
      { to, text: '1 and 2' },
      { to, text: '3 and 4' },
    ]);
    const poll = {
      type: 'poll',
      question: 'Drink, {{name}}?',
      options: ['{{first}}', 'coffee'],
      selectable: 1,
    };
    expect(made({ content: poll, disappearing: 86_400 }, { name: 'Ann', first: 'tea' })).toEqual([
      {
        ...{ to, disappearing: 86_400 },
        content: { ...poll, question: 'Drink, Ann?', options: ['tea', 'coffee'] },
      },
    ]);
  });

  it('takes a value as it is', () => {
    expect(made({ text: '{{a}} {{b}}' }, { a: '{{b}}', b: '$& $1 {{a}}' })).toEqual([
      { to, text: '{{b}} $& $1 {{a}}' },
    ]);
    expect(made({ text: '{ {a} } {{a-b}} {{}}' }, undefined)).toEqual([{ to, text: '{ {a} } {{a-b}} {{}}' }]);
  });

  it('is refused if a recipient lacks a variable', () => {
    expect(errorOf(() => made({ text: '{{a}}' }, { a: '1' }, { b: '1' }))).toEqual(
      refused('body.recipients.1', 'has no variable a'),
    );
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(errorOf(() => made({ text: `{{${name}}}` }, {}))).toEqual(refused('body.recipients.0', name));
    }
  });

  it('is refused if it becomes invalid or too large by them', () => {
    expect(errorOf(() => made({ text: '{{a}}' }, { a: '' }))).toEqual(refused('body.recipients.0', 'text'));
    const options = ['{{a}}', 'tea'];
    const poll = { type: 'poll', question: 'Drink?', options };
    expect(errorOf(() => made({ content: poll }, { a: 'tea' }))).toEqual(
      refused('body.recipients.0', 'differ'),
    );
    const long = { text: '{{a}}'.repeat(60) };
    const many = Array.from({ length: 100 }, () => ({ a: 'x'.repeat(1_024) }));
    expect(errorOf(() => made(long, ...many))).toEqual(refused('body.recipients.34', 'too large'));
  });
});

it('a request has either messages, or a message and its recipients', () => {
  const messages = [{ to, text: 'hi' }];
  const recipients = [{ to }];
  const message = { text: 'hi' };
  const isValid = (body: object) => createJobBodySchema.safeParse(body).success;
  expect(isValid({ messages })).toBe(true);
  expect(isValid({ message, recipients })).toBe(true);
  expect(isValid({ message: { to, text: 'hi' }, recipients })).toBe(false);
  for (const body of [
    {},
    { message },
    { recipients },
    { messages, message, recipients },
    { messages, recipients },
  ]) {
    expect(isValid(body)).toBe(false);
  }
});
