import { expect, test } from 'vitest';
import { Metrics } from './metrics.js';

const lines = async (metrics: Metrics) =>
  (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('values are read whenever somebody asks', async () => {
  const metrics = new Metrics();
  let sockets = 3;
  let events = 5;
  metrics.gauge({ name: 'sockets', help: 'Sockets.', read: () => sockets });
  metrics.counter({ name: 'events_total', help: 'Events.', read: () => events });
  expect(await lines(metrics)).toEqual(['sockets 3', 'events_total 5']);
  sockets = 1;
  events = 9;
  expect(await lines(metrics)).toEqual(['sockets 1', 'events_total 9']);
});

test('a metric may have a value for each set of labels', async () => {
  const metrics = new Metrics();
  const read = () => [
    { labels: { reason: 'a' }, value: 1 },
    { labels: { reason: 'b' }, value: 0 },
  ];
  metrics.counter({ name: 'closed_total', help: 'Closed.', labels: ['reason'], read });
  metrics.gauge({ name: 'closing', help: 'Closing.', labels: ['reason'], read });
  const expected = ['{reason="a"} 1', '{reason="b"} 0'];
  expect(await lines(metrics)).toEqual([
    ...expected.map((value) => `closed_total${value}`),
    ...expected.map((value) => `closing${value}`),
  ]);
});

test('the process reports metrics about itself', async () => {
  expect(await Metrics.ofProcess().text()).toContain('process_resident_memory_bytes');
});
