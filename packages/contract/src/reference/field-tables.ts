import type { EventName } from '../event-names.js';
import { envelope } from '../payloads/fields.js';
import { type JsonSchema, payloadJsonSchema, sharedObjects } from './json-schemas.js';

type Property = JsonSchema | boolean;

interface Row {
  readonly field: string;
  readonly type: string;
  readonly meaning: string;
}

const ENVELOPE: ReadonlySet<string> = new Set(Object.keys(envelope));

function idOf({ $ref }: JsonSchema): string | undefined {
  return $ref?.split('/').at(-1);
}

/** The name of an object's section, as its heading and as its link. */
function titleOf(id: string, objects: ReadonlyMap<string, JsonSchema>): string {
  return objects.get(id)?.title ?? id;
}

function linkTo(id: string, objects: ReadonlyMap<string, JsonSchema>): string {
  const title = titleOf(id, objects);
  return `[${title}](#${title.toLowerCase().replaceAll(' ', '-')})`;
}

function typeOf(property: Property, objects: ReadonlyMap<string, JsonSchema>): string {
  if (typeof property === 'boolean') return 'anything';
  const id = idOf(property);
  if (id !== undefined) return linkTo(id, objects);
  const { anyOf, const: constant, enum: values, format, items, type, propertyNames } = property;
  if (anyOf !== undefined) return [...new Set(anyOf.map((each) => typeOf(each, objects)))].join(' or ');
  if (constant !== undefined) return `\`${JSON.stringify(constant)}\``;
  if (values !== undefined) return values.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (format === 'date-time') return 'time, ISO 8601';
  if (format === 'base64' || property.contentEncoding === 'base64') return 'base64';
  if (type === 'array') return `list of ${typeOf(firstOf(items), objects)}`;
  if (type === 'object' && propertyNames !== undefined) {
    const inner = typeOf(property.additionalProperties ?? true, objects);
    return inner === 'anything' ? 'object' : `object of ${inner}`;
  }
  return String(type ?? 'anything');
}

function firstOf(items: JsonSchema['items']): Property {
  return (Array.isArray(items) ? items[0] : items) ?? true;
}

/** The fields of an object that is described in place, below it. */
function rowsWithin(field: string, property: Property, objects: ReadonlyMap<string, JsonSchema>): Row[] {
  if (typeof property === 'boolean' || idOf(property) !== undefined) return [];
  if (property.type === 'array') return rowsWithin(`${field}[]`, firstOf(property.items), objects);
  return property.properties === undefined ? [] : rowsOf(property, objects, `${field}.`);
}

function rowsOf(schema: JsonSchema, objects: ReadonlyMap<string, JsonSchema>, prefix = ''): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = `${prefix}${name}`;
    const isOptional = schema.required?.includes(name) !== true;
    const meaning = typeof property === 'boolean' ? '' : (property.description ?? '');
    const row = { field: `\`${field}\`${isOptional ? '?' : ''}`, type: typeOf(property, objects), meaning };
    return [row, ...rowsWithin(field, property, objects)];
  });
}

function tableOf(rows: readonly Row[]): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const lines = rows.map(({ field, type, meaning }) => `| ${field} | ${cell(type)} | ${cell(meaning)} |`);
  return ['| field | type | means |', '|---|---|---|', ...lines].join('\n');
}

/** The table of an event's own fields; several tables for an event that has several kinds. */
export function eventTable(event: EventName, objects: ReadonlyMap<string, JsonSchema>): string {
  const schema = payloadJsonSchema(event);
  const kinds = schema.anyOf ?? [schema];
  return kinds
    .map((kind) => {
      const own = Object.entries(kind.properties ?? {}).filter(([name]) => !ENVELOPE.has(name));
      return tableOf(rowsOf({ ...kind, properties: Object.fromEntries(own) }, objects));
    })
    .join('\n\nor\n\n');
}

/** A section for each object that payloads share. */
export function objectSections(objects: ReadonlyMap<string, JsonSchema>): string {
  const sections = [...objects].map(([id, schema]) => {
    const rows = rowsOf(schema, objects);
    const parts = [
      `### ${titleOf(id, objects)}`,
      ...(schema.description === undefined ? [] : [schema.description]),
      ...(rows.length === 0 ? [] : [tableOf(rows)]),
    ];
    return parts.join('\n\n');
  });
  return sections.join('\n\n');
}

export function allObjects(events: readonly EventName[]): ReadonlyMap<string, JsonSchema> {
  return sharedObjects(events.map(payloadJsonSchema));
}
