import { expect, test } from 'vitest';
import { FairPace } from './fair-pace.js';

/** A pace in a process whose time and load the test sets. */
function paceOfTest() {
  const process = { ms: 0, utilization: 0 };
  const pace = new FairPace({ now: () => process.ms, utilization: () => process.utilization });
  /** How much of each tenant's work begins in a tenth of a second, if it is asked for in steps of 1 ms. */
  const period = (utilization: number, asked: Readonly<Record<string, number>>) => {
    process.utilization = utilization;
    const begun: Record<string, number> = {};
    const left = { ...asked };
    for (let ms = 0; ms < 100; ms += 1) {
      for (const [name, count] of Object.entries(left)) {
        let due = Math.ceil(count / (100 - ms));
        while (due > 0 && pace.wait(name) === 0) {
          pace.count(name);
          begun[name] = (begun[name] ?? 0) + 1;
          left[name] = (left[name] ?? 0) - 1;
          due -= 1;
        }
      }
      process.ms += 1;
    }
    return begun;
  };
  return { process, pace, period };
}

test('all that is asked for begins while the process is not busy', () => {
  const { pace, period } = paceOfTest();
  for (let count = 0; count < 5; count += 1) {
    expect(period(0.69, { greedy: 900, modest: 5 })).toEqual({ greedy: 900, modest: 5 });
  }
  expect(pace.periods).toBe(0);
});

test('in a busy process the one that asks for most begins less, in each period, and the others what they ask for', () => {
  const { pace, period } = paceOfTest();
  period(1, { greedy: 900, modest: 20 });
  const begun = Array.from({ length: 12 }, () => period(1, { greedy: 900, modest: 20 }));
  const greedy = begun.map((each) => each['greedy'] ?? 0);
  expect(begun.map((each) => each['modest'])).toEqual(Array(12).fill(20));
  for (const [index, count] of greedy.entries()) {
    // The last of them, up to the end of a period, is one more or less.
    expect(count).toBeLessThanOrEqual((greedy[index - 1] ?? 700) + 1);
  }
  // The minimum that each may begin.
  expect(greedy.at(-1)).toBeGreaterThanOrEqual(29);
  expect(greedy.at(-1)).toBeLessThanOrEqual(31);
  expect(pace.periods).toBeGreaterThanOrEqual(11);
});

test('a process that has time again lets more begin in each period', () => {
  const { period } = paceOfTest();
  for (let count = 0; count < 10; count += 1) period(1, { greedy: 900, modest: 20 });
  const greedy = Array.from({ length: 8 }, () => period(0.3, { greedy: 900, modest: 20 })['greedy'] ?? 0);
  for (const [index, count] of greedy.entries())
    expect(count).toBeGreaterThanOrEqual(greedy[index - 1] ?? 29);
  expect(greedy.at(-1)).toBeGreaterThan(100);
});

test('those who ask for as much as each other begin as much as each other', () => {
  const { period } = paceOfTest();
  period(1, { one: 400, two: 400, three: 400 });
  const { one = 0, two, three } = period(1, { one: 400, two: 400, three: 400 });
  expect([two, three]).toEqual([one, one]);
  // Seven tenths of the work that kept the process busy.
  expect(one).toBeGreaterThan(270);
  expect(one).toBeLessThan(290);
});

test('a tenant that asks alone has all of the time', () => {
  const { period } = paceOfTest();
  for (let count = 0; count < 5; count += 1) expect(period(1, { alone: 900 })).toEqual({ alone: 900 });
});

test('who has been quiet may begin several at once', () => {
  const { process, pace, period } = paceOfTest();
  for (let count = 0; count < 10; count += 1) period(1, { greedy: 900, modest: 1 });
  for (let count = 0; count < 20; count += 1) {
    expect(pace.wait('modest')).toBe(0);
    pace.count('modest');
  }
  expect(pace.wait('greedy')).toBeGreaterThan(0);
  process.ms += pace.wait('greedy');
  expect(pace.wait('greedy')).toBe(0);
});

test('work that was worth more makes the next wait longer', () => {
  const { pace, period } = paceOfTest();
  for (let count = 0; count < 10; count += 1) period(1, { greedy: 900, modest: 1 });
  const waitMs = pace.wait('greedy');
  pace.count('greedy', 15);
  expect(pace.wait('greedy')).toBeGreaterThanOrEqual(waitMs + 49);
});
