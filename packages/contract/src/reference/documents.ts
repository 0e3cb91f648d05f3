import { readFileSync } from 'node:fs';
import { COMMON_ERRORS, IDEMPOTENCY_ERRORS } from '../commands/index.js';
import { EVENT_NAMES } from '../event-names.js';
import { asyncApi } from './asyncapi.js';
import { allObjects, eventTable, objectSections } from './field-tables.js';
import { payloadJsonSchema } from './json-schemas.js';
import { restSections } from './rest-tables.js';

/** The folder of documents: the same from the sources and from the build. */
export const DOCS = new URL('../../../../docs/', import.meta.url);

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. Throws if the marks are missing. */
function fill(text: string, name: string, content: string, document = 'events.md'): string {
  const begin = `<!-- ${name} -->`;
  const end = `<!-- /${name} -->`;
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`docs/${document} lacks ${begin} … ${end}`);
  return `${before}${begin}\n${content}\n${end}${after}`;
}

function eventsDocument(): string {
  const objects = allObjects(EVENT_NAMES);
  const text = readFileSync(new URL('events.md', DOCS), 'utf8');
  const withTables = EVENT_NAMES.reduce(
    (document, event) => fill(document, `fields of ${event}`, eventTable(event, objects)),
    text,
  );
  return fill(withTables, 'objects', objectSections(objects));
}

function listOf(codes: readonly string[]): string {
  return `${codes.map((code) => `\`${code}\``).join(', ')}.`;
}

function restDocument(): string {
  const text = readFileSync(new URL('rest-api.md', DOCS), 'utf8');
  const withErrors = fill(text, 'common errors', listOf(COMMON_ERRORS), 'rest-api.md');
  const withMore = fill(withErrors, 'idempotency errors', listOf(IDEMPOTENCY_ERRORS), 'rest-api.md');
  return fill(withMore, 'calls', restSections(), 'rest-api.md');
}

/** Every document that is made from the schemas, or has a part that is, by its path below docs/, as it should be. */
export function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['events.md', eventsDocument()],
    ['rest-api.md', restDocument()],
    ['asyncapi.json', json(asyncApi())],
    ...EVENT_NAMES.map((event): [string, string] => [
      `schemas/${event}.json`,
      json(payloadJsonSchema(event)),
    ]),
  ]);
}
