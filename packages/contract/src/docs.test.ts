import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, EVENT_NAMES, payloadSchemas } from './index.js';

function readDoc(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
}

describe('docs/errors.md', () => {
  const rows = readDoc('errors.md')
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` \|/.test(line));

  it('has a row for each error of the registry, and no other', () => {
    const expected = Object.entries(ERRORS).map(
      ([code, { status, retryable, meaning }]) =>
        `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} |`,
    );
    expect(rows).toEqual(expected);
  });
});

describe('docs/events.md', () => {
  const sections = readDoc('events.md')
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      name: section.slice(0, section.indexOf('\n')),
      examples: [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']): unknown =>
        JSON.parse(text),
      ),
    }));

  it('has a section for each event, in the order of the contract', () => {
    expect(sections.map(({ name }) => name)).toEqual(EVENT_NAMES);
  });

  it.each(EVENT_NAMES)(
    'shows payloads of %s that its schema takes, without a field it does not know',
    (name) => {
      const examples = sections.find((section) => section.name === name)?.examples ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) expect(payloadSchemas[name].parse(example)).toEqual(example);
    },
  );
});
