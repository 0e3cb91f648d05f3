import { expect, it } from 'vitest';
import { Congestion } from './congestion.js';

const MEGABYTE = 1024 * 1024;
const held = (megabytes: number, events = 1) => ({ events, characters: megabytes * MEGABYTE });

it('reports once when more than 8 MiB or 2,000 events wait, and once when half of that is left', () => {
  const reported: boolean[] = [];
  const congestion = new Congestion((isCongested) => reported.push(isCongested));
  congestion.count({ added: held(8) });
  expect(reported).toEqual([]);
  congestion.count({ added: held(1) });
  congestion.count({ added: held(1) });
  expect(reported).toEqual([true]);
  congestion.count({ removed: held(5) });
  expect(reported).toEqual([true]);
  congestion.count({ removed: held(1) });
  expect(reported).toEqual([true, false]);
  congestion.count({ added: held(0, 2_001) });
  expect(reported).toEqual([true, false, true]);
});

it('replacing one item with another makes no difference', () => {
  const reported: boolean[] = [];
  const congestion = new Congestion((isCongested) => reported.push(isCongested));
  congestion.count({ added: held(7) });
  for (let round = 0; round < 3; round += 1) congestion.count({ added: held(7), removed: held(7) });
  expect(reported).toEqual([]);
});
