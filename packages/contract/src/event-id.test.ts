import { expect, test } from 'vitest';
import { formatEventId, parseEventId } from './event-id.js';

test('an event id read back is the position that was printed', () => {
  const position = { epoch: 'k3x9', seq: 9_007_199_254_740_991 };
  expect(parseEventId(formatEventId(position))).toEqual(position);
});

test.each(['', '-', 'a-0', 'a-01', 'a--1', 'A-1', 'a-1.5', 'a-99999999999999999', 'a-1\n'])(
  'refuses %j',
  (text) => {
    expect(parseEventId(text)).toBeUndefined();
  },
);
