import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../event-names.js';
import { asyncApi } from './asyncapi.js';
import { DOCS, documents } from './documents.js';
import { payloadJsonSchema } from './json-schemas.js';

describe('what is made from the schemas', () => {
  it.each([...documents()])('docs/%s is up to date; if not: npm run docs', (path, content) => {
    const url = new URL(path, DOCS);
    expect(existsSync(url) && readFileSync(url, 'utf8') === content).toBe(true);
  });

  it('has no file of an event that is gone', () => {
    const expected = EVENT_NAMES.map((event) => `${event}.json`).sort();
    expect(readdirSync(new URL('schemas/', DOCS)).sort()).toEqual(expected);
  });
});

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) =>
    field === '$ref' && typeof inner === 'string' ? [inner] : refsIn(inner),
  );
}

function lookUp(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      document,
    );
}

describe('docs/asyncapi.json', () => {
  it('refers to nothing that is not there', () => {
    const document = asyncApi();
    const refs = refsIn(document);
    expect(refs.length).toBeGreaterThan(40);
    expect(refs.filter((ref) => lookUp(document, ref) === undefined)).toEqual([]);
  });

  it('has each event of the contract', () => {
    const messages = lookUp(asyncApi(), '#/components/messages');
    expect(Object.keys(messages ?? {})).toEqual([
      ...EVENT_NAMES,
      'subscription.error',
      'subscription.reset',
      'connection.closing',
      'subscribe',
      'unsubscribe',
    ]);
  });
});

describe('docs/schemas', () => {
  const text = readFileSync(new URL('events.md', DOCS), 'utf8').split(/^## Payloads$/m)[1] ?? '';
  const ajv = new Ajv2020({ strict: false, validateFormats: false });

  it.each(EVENT_NAMES)('%s takes what docs/events.md shows, and not what lacks a field', (event) => {
    const validate = ajv.compile(payloadJsonSchema(event));
    const section = text.split(`\n### ${event}\n`)[1]?.split('\n### ')[0] ?? '';
    const examples = [...section.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json = '']) =>
      JSON.parse(json),
    );
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      expect(validate({ ...example, aFieldOfTheFuture: 1 })).toBe(true);
      const { eventId: _, ...rest } = example;
      expect(validate(rest)).toBe(false);
    }
  });
});
