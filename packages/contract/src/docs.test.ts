import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, EVENT_NAMES, isResting, payloadSchemas, SESSION_STATUSES, sessionSchema } from './index.js';

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

describe('docs/sessions.md', () => {
  const doc = readDoc('sessions.md');
  const [, table = ''] = /^\| status \| means .*?\n(.*?)\n\n/ms.exec(doc) ?? [];
  const transitions = [...doc.matchAll(/^ {2}(\S+) --> (\S+): /gm)].map(([, from, to]) => ({ from, to }));

  it('has a row for each status of the contract, and no other', () => {
    expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, status]) => status)).toEqual(SESSION_STATUSES);
  });

  it('draws each status of the contract, and no other, each with a way in and a way out', () => {
    const states = [...SESSION_STATUSES].sort();
    const drawn = (end: 'from' | 'to') =>
      [...new Set(transitions.map((transition) => transition[end]))]
        .filter((state) => state !== '[*]')
        .sort();
    expect(drawn('to')).toEqual(states);
    expect(drawn('from')).toEqual(states);
  });

  it('leaves a status that rests by a restart alone', () => {
    for (const status of SESSION_STATUSES.filter(isResting)) {
      const ways = transitions.filter(({ from }) => from === status);
      expect(ways, status).toEqual([{ from: status, to: 'queued' }]);
    }
  });

  it('shows a session as REST gives it', () => {
    const [, example = ''] = /^```json\n(.*?)^```$/ms.exec(doc) ?? [];
    expect(sessionSchema.parse(JSON.parse(example))).toEqual(JSON.parse(example));
  });
});
