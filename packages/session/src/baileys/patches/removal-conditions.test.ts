import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The patches of a socket that stand beside the code that makes sockets. */
const BESIDE = ['pending-queries.ts', 'trust-root-key.ts', 'whole-socket.ts'];
const CONDITION = /^ \* Removal condition: \S/m;
const REPORT = /docs\/upstream\.md,\s(?:\* )?(\d+)/g;

const folder = new URL('./', import.meta.url);
const files = [
  ...readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'install.ts')
    .map((file) => new URL(file, folder)),
  ...BESIDE.map((file) => new URL(`../${file}`, folder)),
].map((url) => ({ name: url.pathname.split('/').at(-1) ?? '', text: readFileSync(url, 'utf8') }));

test('each patch says when it can be removed', () => {
  expect(files.length).toBeGreaterThan(BESIDE.length);
  expect(files.filter(({ text }) => !CONDITION.test(text)).map(({ name }) => name)).toEqual([]);
});

test('each report that a patch names is in docs/upstream.md', () => {
  const reports = readFileSync(new URL('../../../../../docs/upstream.md', import.meta.url), 'utf8');
  const named = files.flatMap(({ text }) => [...text.matchAll(REPORT)].map(([, number]) => number));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((number) => !reports.includes(`\n## ${number}. `))).toEqual([]);
});
