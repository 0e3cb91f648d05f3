import { waitFor } from '@wafleet/testkit';
import { expect, it } from 'vitest';
import { EncodedEvent } from './encoded-event.js';
import { WriteBatcher } from './write-batcher.js';

const events = Array.from({ length: 12 }, (_, seq) => {
  const body = Buffer.from(JSON.stringify({ seq, text: '👍' }));
  return new EncodedEvent({ event: 'call', sessionId: 's', position: { epoch: '1', seq }, body });
});
const joined = (list: readonly EncodedEvent[], namespace: '/' | '/api/events' = '/') =>
  Buffer.concat(list.map((event) => event.frame(namespace)));

it('runs each writer of a tick once, at its end, in the order they came', async () => {
  const rounds = new WriteBatcher();
  const ran: string[] = [];
  rounds.schedule({ flush: () => ran.push('first') });
  rounds.schedule({
    flush: () => {
      ran.push('second');
      rounds.schedule({ flush: () => ran.push('from within') });
    },
  });
  expect(ran).toEqual([]);
  await Promise.resolve();
  await Promise.resolve();
  expect(ran).toEqual(['first', 'second', 'from within']);
});

it('waits with many writers for what else is there already, and no longer', async () => {
  const rounds = new WriteBatcher();
  let ran = 0;
  const schedule = () =>
    rounds.schedule({
      flush: () => {
        ran += 1;
      },
    });
  for (let count = 0; count < 1_000; count += 1) schedule();
  await Promise.resolve();
  schedule();
  await Promise.resolve();
  expect(ran).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ran).toBe(1_001);
  schedule();
  await Promise.resolve();
  expect(ran).toBe(1_002);
});

it('runs all rounds with many writers, one after the other, whatever they take', async () => {
  const rounds = new WriteBatcher();
  const ran: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let count = 0; count < 1_000; count += 1) {
      rounds.schedule({
        flush: () => {
          if (count === 0) for (const until = performance.now() + 5; performance.now() < until; );
          if (count === 999) ran.push(round);
        },
      });
    }
    await waitFor(() => ran.length === round + 1, { what: `round ${round}`, intervalMs: 1 });
  }
  expect(ran).toEqual([0, 1, 2, 3, 4]);
});

it('gives one event’s own frame, and the bytes of several one after the other', () => {
  const rounds = new WriteBatcher();
  const [event] = events;
  if (event === undefined) throw new Error('no event');
  expect(rounds.frames('/', [event])).toBe(event.frame('/'));
  expect(rounds.frames('/', events)).toEqual(joined(events));
  expect(rounds.frames('/api/events', events)).toEqual(joined(events, '/api/events'));
});

it('shares the bytes of the same events, and only of the same', () => {
  const rounds = new WriteBatcher();
  const bytes = rounds.frames('/', events.slice(0, 5));
  expect(rounds.frames('/', events.slice(0, 5))).toBe(bytes);
  const others = [events.slice(1, 5), [...events.slice(0, 3), ...events.slice(4, 5)], events.slice(0, 4)];
  for (const list of others) expect(rounds.frames('/', list)).toEqual(joined(list));
  expect(rounds.frames('/', events.slice(0, 5))).toBe(bytes);
});

it('keeps nothing beyond the tick', async () => {
  const rounds = new WriteBatcher();
  const bytes = rounds.frames('/', events);
  await Promise.resolve();
  expect(rounds.frames('/', events)).not.toBe(bytes);
  expect(rounds.frames('/', events)).toEqual(bytes);
});

it('is right for more different lists than it keeps', () => {
  const rounds = new WriteBatcher();
  const lists = events.slice(0, -2).map((event) => [event, ...events.slice(-2)]);
  for (const list of [...lists, ...lists]) expect(rounds.frames('/', list)).toEqual(joined(list));
});
