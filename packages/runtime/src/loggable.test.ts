import { expect, it } from 'vitest';
import { loggableError } from './loggable.js';

it.each([
  ['nothing', undefined, 'undefined'],
  ['a text', 'went wrong', 'went wrong'],
  ['an object without a prototype', Object.create(null), '[object Object]'],
  ['a symbol', Symbol('s'), 'Symbol(s)'],
])('can be shown: %s that was thrown', (_what, thrown, message) => {
  expect(loggableError(thrown)).toEqual({ message });
});

it('an error that is its own cause can be shown', () => {
  const error = new Error('round and round');
  error.cause = error;
  expect(loggableError(error)).toMatchObject({ cause: { message: 'round and round' } });
});
