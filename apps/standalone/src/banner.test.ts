import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { banner } from './banner.js';

const text = banner({
  edges: ['http://localhost:3000', 'http://localhost:3001'],
  apiKey: 'wf_abc-DEF_123',
  about: ['Session   demo'],
});

test('it names the edges, the documentation, the key and what runs', () => {
  for (const part of ['http://localhost:3000', 'http://localhost:3001', '/docs', 'wf_abc-DEF_123', 'demo']) {
    expect(text).toContain(part);
  }
});

test.each([
  ['JavaScript', /^node -e "\n([\s\S]*?)\n"$/m],
  ['Python', /^python3 -c "\n([\s\S]*?)\n"$/m],
])('the client in %s has the key and survives the quotes of a shell', (_language, pattern) => {
  const code = pattern.exec(text)?.[1];
  expect(code).toContain("'wf_abc-DEF_123'");
  expect(code).toContain('http://localhost:3000/api/events');
  expect(code).not.toMatch(/["$`\\!]/);
});

test('the client in JavaScript prints the contents of messages', () => {
  const code = /^node -e "\n([\s\S]*?)\n"$/m.exec(text)?.[1] ?? '';
  const handlers: Array<(event: string, payload: unknown) => void> = [];
  const socket = {
    on: () => {},
    emit: () => {},
    onAny: (handler: (typeof handlers)[number]) => handlers.push(handler),
  };
  const printed: unknown[] = [];
  const log = (...values: unknown[]) => printed.push(...values.map((value) => inspect(value)));
  runInNewContext(code, { require: () => ({ io: () => socket }), console: { log } });
  const caption = 'Hello from Wafleet';
  for (const handler of handlers) {
    handler('messages.upsert', { messages: [{ message: { imageMessage: { caption } } }] });
  }
  expect(printed.join(' ')).toContain(caption);
});
