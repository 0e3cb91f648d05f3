import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { LogView } from './log-view.js';

function shown(name: string, line: string): string {
  let text = '';
  const view = new LogView((chunk) => {
    text += chunk;
  });
  view.show(name, line);
  return stripVTControlCharacters(text);
}

const entry = JSON.stringify({
  level: 'warn',
  time: '2026-01-02T03:04:05.678Z',
  app: 'worker',
  session: 'demo',
  attempt: 2,
  err: { type: 'Error', message: 'connection closed', stack: 'Error: connection closed\n at …' },
  msg: 'a session lost its connection',
});

test('an entry becomes one line with its process, level, message, error and fields', () => {
  const text = shown('worker 1', entry);
  expect(text).toMatch(
    /^\d\d:\d\d:05 worker 1 {3}warn {2}a session lost its connection \(connection closed\) session=demo attempt=2\n$/,
  );
});

test('levels that are numbers are named', () => {
  const line = JSON.stringify({ level: 50, time: 1_700_000_000_000, name: 'simulator', msg: 'oh' });
  expect(shown('simulator', line)).toMatch(/^\d\d:\d\d:20 simulator {2}error oh\n$/);
});

test('other text is shown unchanged, beside the name', () => {
  expect(shown('edge 1', 'wafleet edge cannot start: no.').trim()).toBe(
    'edge 1     wafleet edge cannot start: no.',
  );
  expect(shown('edge 1', '{"level":30}')).toContain('{"level":30}');
});
