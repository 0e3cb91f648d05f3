import { expect, test } from 'vitest';
import { Arrivals } from './arrivals.js';
import { textOf } from './protocol.js';

test('a text counts once, for its own writing', async () => {
  const arrivals = new Arrivals();
  arrivals.add(textOf('one', 0));
  arrivals.add(textOf('one', 0));
  arrivals.add(textOf('two', 1));
  arrivals.add('hello');
  const settled = arrivals.settle('one', 2);
  arrivals.add(textOf('one', 1));
  expect(await settled).toBe(2);
  expect(await arrivals.settle('two', 1)).toBe(1);
});
