import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { fieldsOf, type SchemaField, typeOf } from './whatsapp-schema.js';

/** Messages in messages, no deeper than this. */
const MAX_DEPTH = 4;

type Generate = fc.GeneratorValue;

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });

/** JSON has no other zero. */
function withoutNegativeZero(number: number): number {
  return number === 0 ? 0 : number;
}

function generateScalar(generate: Generate, { type, numbers }: SchemaField): unknown {
  if (numbers !== undefined) return generate(fc.constantFrom, ...numbers);
  switch (type) {
    case 'string':
      return generate(fc.string, { unit: 'grapheme', maxLength: 12 });
    case 'bytes':
      return generate(() => bytes);
    case 'bool':
      return generate(fc.boolean);
    case 'int64':
    case 'sint64':
    case 'sfixed64':
      return String(generate(() => int64));
    case 'uint64':
    case 'fixed64':
      return String(generate(() => uint64));
    case 'uint32':
    case 'fixed32':
      return generate(fc.nat);
    case 'float':
      return withoutNegativeZero(generate(fc.float, { noNaN: true, noDefaultInfinity: true }));
    case 'double':
      return withoutNegativeZero(generate(fc.double, { noNaN: true, noDefaultInfinity: true }));
    default:
      return generate(fc.integer);
  }
}

function generateMessage(
  generate: Generate,
  type: protobuf.Type,
  isWanted: (field: SchemaField) => boolean,
  depth: number,
): Record<string, unknown> {
  const possible = fieldsOf(type).filter(
    (field) => isWanted(field) && (field.message === undefined || depth < MAX_DEPTH),
  );
  if (possible.length === 0) return {};
  const chosen = generate(() =>
    fc.subarray(possible, { minLength: depth === 0 ? 1 : 0, maxLength: Math.min(possible.length, 5) }),
  );
  const value = (field: SchemaField) =>
    field.message === undefined
      ? generateScalar(generate, field)
      : generateMessage(generate, field.message, isWanted, depth + 1);
  return Object.fromEntries(
    chosen.map((field) => [field.name, field.isList ? [value(field), value(field)] : value(field)]),
  );
}

/** Random messages of a type of WhatsApp's schema, as `fromObject` takes them, of the fields that are wanted. */
export function messagesOf(
  type: string,
  isWanted: (field: SchemaField) => boolean = () => true,
): fc.Arbitrary<Record<string, unknown>> {
  return fc.gen().map((generate) => generateMessage(generate, typeOf(type), isWanted, 0));
}
