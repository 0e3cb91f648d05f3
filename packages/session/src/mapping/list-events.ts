import type { EventName } from '@wafleet/contract';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';

/** Bounds on one event, so that a client never has to take in a whole history at once. Characters of JSON. */
const ITEMS_PER_EVENT = 200;
const CHARACTERS_PER_EVENT = 256 * 1024;

function* inParts(items: readonly JsonObject[]): Generator<JsonObject[]> {
  let part: JsonObject[] = [];
  let characters = 0;
  for (const item of items) {
    const length = JSON.stringify(item).length;
    const isFull = part.length >= ITEMS_PER_EVENT || characters + length > CHARACTERS_PER_EVENT;
    if (isFull && part.length > 0) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(item);
    characters += length;
  }
  if (part.length > 0) yield part;
}

/** Events that carry a list under `field`: none for an empty one, several for one that is too long for one event. */
export function listEvents(
  event: EventName,
  field: string,
  items: readonly JsonObject[],
  more: JsonObject = {},
): MappedEvent[] {
  if (items.length === 0) return [];
  const parts = items.length === 1 ? [[...items]] : [...inParts(items)];
  return parts.map((part) => ({ event, payload: { [field]: part, ...more } }));
}
