import { PUBLISHED_FIELDS, type PublishedObject } from '@wafleet/contract';
import { type JsonObject, normaliseObject } from './normalise.js';

/** What the contract publishes of one of WhatsApp's objects, normalised: the fields of its schema and no other. */
export function published(kind: PublishedObject, value: object | null | undefined): JsonObject {
  const { names, nullable } = PUBLISHED_FIELDS[kind];
  return normaliseObject(
    value,
    (field, inner) => names.has(field) && (inner !== null || nullable.has(field)),
  );
}
