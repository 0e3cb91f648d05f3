import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENT_RULES } from './index.js';

const text = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8');
const [, section = ''] = text.split(/^## What becomes of what WhatsApp tells$/m);
const [table = ''] = section.split('Of what these events hold');
const rows = [...table.matchAll(/^\| (`.*?`) \| (.*) \|$/gm)].map(([, names = '', fate = '']) => ({
  names: names.split(', ').map((name) => name.replaceAll('`', '')),
  fate,
}));

it('docs/events.md says of each event of Baileys what becomes of it', () => {
  expect(rows.flatMap(({ names }) => names).sort()).toEqual(Object.keys(EVENT_RULES).sort());
});

it('docs/events.md gives the reason for what is left out', () => {
  const rules = new Map(Object.entries(EVENT_RULES));
  for (const { names, fate } of rows.filter((row) => row.fate.startsWith('left out: '))) {
    for (const name of names) expect(rules.get(name)).toEqual({ because: fate.slice('left out: '.length) });
  }
  const silent = [...rules].filter(([, rule]) => 'because' in rule).map(([name]) => name);
  // The session publishes its own account of the connection.
  expect(silent).toEqual(['connection.update', 'messages.media-update']);
});
