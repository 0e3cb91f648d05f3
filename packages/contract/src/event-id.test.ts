import { expect, test } from 'vitest';
import { formatEventId, parseEventId } from './event-id.js';

test.each([0, 1, 9_007_199_254_740_991])(
  'an event id read back is the position that was printed, seq %i',
  (seq) => {
    const position = { epoch: 'k3x9', seq };
    expect(parseEventId(formatEventId(position))).toEqual(position);
  },
);

test.each(['1763812345678-5~1', '1763812345678-5~0123456789abcdef'])(
  '%s has the position before its suffix',
  (text) => {
    expect(parseEventId(text)).toEqual({ epoch: '1763812345678', seq: 5 });
  },
);

const NO_IDS = [
  ...['', '-', 'a-', 'a-00', 'a-01', 'a--1', 'A-1', 'a-1.5', 'a-99999999999999999', 'a-1\n'],
  ...['~1', 'a~1', 'a-1~', 'a-1~A', 'a-1~0123456789abcdefg', 'a-1~1~1', 'a-1~1\n', 'a-1-1'],
];
test.each(NO_IDS)('refuses %j', (text) => {
  expect(parseEventId(text)).toBeUndefined();
});
