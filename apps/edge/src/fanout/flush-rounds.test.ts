import { expect, it } from 'vitest';
import { EncodedEvent } from './encoded-event.js';
import { FlushRounds } from './flush-rounds.js';

const events = Array.from({ length: 12 }, (_, seq) => {
  const body = Buffer.from(JSON.stringify({ seq, text: '👍' }));
  return new EncodedEvent({ event: 'call', sessionId: 's', position: { epoch: '1', seq }, body });
});
const joined = (list: readonly EncodedEvent[], namespace: '/' | '/api/events' = '/') =>
  Buffer.concat(list.map((event) => event.frame(namespace)));

it('runs each writer of a tick once, at its end, in the order they came', async () => {
  const rounds = new FlushRounds();
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

it('gives one event’s own frame, and the bytes of several one after the other', () => {
  const rounds = new FlushRounds();
  const [event] = events;
  if (event === undefined) throw new Error('no event');
  expect(rounds.frames('/', [event])).toBe(event.frame('/'));
  expect(rounds.frames('/', events)).toEqual(joined(events));
  expect(rounds.frames('/api/events', events)).toEqual(joined(events, '/api/events'));
});

it('shares the bytes of the same events, and only of the same', () => {
  const rounds = new FlushRounds();
  const bytes = rounds.frames('/', events.slice(0, 5));
  expect(rounds.frames('/', events.slice(0, 5))).toBe(bytes);
  const others = [events.slice(1, 5), [...events.slice(0, 3), ...events.slice(4, 5)], events.slice(0, 4)];
  for (const list of others) expect(rounds.frames('/', list)).toEqual(joined(list));
  expect(rounds.frames('/', events.slice(0, 5))).toBe(bytes);
});

it('keeps nothing beyond the tick', async () => {
  const rounds = new FlushRounds();
  const bytes = rounds.frames('/', events);
  await Promise.resolve();
  expect(rounds.frames('/', events)).not.toBe(bytes);
  expect(rounds.frames('/', events)).toEqual(bytes);
});

it('is right for more different lists than it keeps', () => {
  const rounds = new FlushRounds();
  const lists = events.slice(0, -2).map((event) => [event, ...events.slice(-2)]);
  for (const list of [...lists, ...lists]) expect(rounds.frames('/', list)).toEqual(joined(list));
});
