import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ServerLife } from './server-life.js';

test('a life is read on each connection, and then once in half a second', () => {
  const connection = { stream: new Socket() };
  const life = new ServerLife(connection);
  const first = life.begin(0);
  expect(first.argument).toBe('');
  // Nothing is known until the first answer.
  expect(life.begin(1).argument).toBe('');
  first.ended('a');
  expect(life.begin(499).argument).toMatchObject({ value: 'a', stream: connection.stream });
  connection.stream = new Socket();
  expect(life.begin(499).argument).toBe('');
});

test('while one append reads it again, the others rely on the last reading, for a second at most', () => {
  const life = new ServerLife({ stream: new Socket() });
  life.begin(0).ended('a');
  const reading = life.begin(500);
  expect(reading.argument).toBe('');
  expect(life.begin(999).argument).toMatchObject({ value: 'a' });
  expect(life.begin(1_000).argument).toBe('');
  reading.ended('b');
  expect(life.begin(999).argument).toMatchObject({ value: 'b' });
  expect(life.begin(1_000).argument).toBe('');
});

test('an append that failed or read nothing leaves it to the next one to read', () => {
  const life = new ServerLife({ stream: new Socket() });
  life.begin(0).ended();
  expect(life.begin(1).argument).toBe('');
});

test('what an append read over a later connection than its first is not relied on', () => {
  const connection = { stream: new Socket() };
  const life = new ServerLife(connection);
  const sent = life.begin(0);
  connection.stream = new Socket();
  sent.ended('b');
  expect(life.begin(1).argument).toBe('');
});
