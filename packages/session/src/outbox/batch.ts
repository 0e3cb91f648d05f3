import type { OutgoingEvent, SealedSecret } from '@wafleet/store';
import type { ListChange } from '../lists/list-changes.js';
import type { MappedEvent } from '../mapping/mapped-event.js';
import type { Size } from './congestion.js';

/** Bounds on one append, so that no script blocks Redis for long. In characters, of all bodies together. */
const MAX_EVENTS_PER_APPEND = 100;
const MAX_CHARACTERS_PER_APPEND = 512 * 1024;
const MAX_SECRETS_PER_APPEND = 200;
/** An event lists at most 200 chats or contacts. */
const MAX_CHANGES_PER_APPEND = 200;
/** Roughly what a change of a list holds, characters. */
const CHARACTERS_PER_CHANGE = 200;

export interface EventItem {
  readonly kind: 'event';
  readonly outgoing: OutgoingEvent;
  /** What the event says of chats and contacts. */
  readonly changes: readonly ListChange[];
}

export type Item =
  | EventItem
  | { readonly kind: 'finished'; readonly message: FinishedMessage }
  | { readonly kind: 'secret'; readonly secret: SealedSecret }
  | { readonly kind: 'changes'; readonly changes: readonly ListChange[] }
  | { readonly kind: 'step'; readonly step: Step };

/** A write or a read with a fixed place among the events. */
export interface Step {
  /** Returns the events that take the step's place. */
  readonly run: () => Promise<readonly MappedEvent[]>;
  /** The events to use instead if `run` fails because of stored content. Must not read anything. */
  readonly instead: () => readonly MappedEvent[];
  /** What the step holds until it has run: roughly the number of its events, and their characters. */
  readonly size: Size;
}

/** A message whose events were all published to the outbox. */
export interface FinishedMessage {
  /** The field of the credentials that kept it until now; deleted with the append of its events. */
  readonly field: string | undefined;
  /** The digest that identifies it from then on. Undefined if the message may come again and is wanted then. */
  readonly digest: string | undefined;
  /** Called when its events are in the log. */
  logged(): void;
}

/** What one append writes. */
export interface Batch {
  readonly events: OutgoingEvent[];
  readonly finished: FinishedMessage[];
  readonly secrets: SealedSecret[];
  readonly changes: ListChange[];
  /** What it holds, by which congestion is counted. */
  readonly size: Size;
}

export function sizeOfItems(items: readonly EventItem[]): Size {
  return {
    events: items.length,
    characters: items.reduce((sum, { outgoing }) => sum + outgoing.body.length, 0),
  };
}

export function sizeOfChanges(changes: readonly ListChange[]): Size {
  return { events: 0, characters: changes.length * CHARACTERS_PER_CHANGE };
}

/** Removes the items of one append from the front: those before the next step, within the bounds of an append. */
export function takeBatch(items: Item[]): Batch {
  const events: EventItem[] = [];
  const finished: FinishedMessage[] = [];
  const secrets: SealedSecret[] = [];
  const changes: ListChange[] = [];
  let characters = 0;
  let held = 0;
  let taken = 0;
  for (const item of items) {
    if (item.kind === 'step') break;
    if (item.kind === 'event') {
      const next = item.outgoing.body.length;
      const isFull =
        events.length >= MAX_EVENTS_PER_APPEND ||
        characters + next > MAX_CHARACTERS_PER_APPEND ||
        changes.length + item.changes.length > MAX_CHANGES_PER_APPEND;
      if (isFull && events.length > 0) break;
      characters += next;
      events.push(item);
      changes.push(...item.changes);
    } else if (item.kind === 'secret') {
      if (secrets.length >= MAX_SECRETS_PER_APPEND) break;
      held += item.secret.sealed.length;
      secrets.push(item.secret);
    } else if (item.kind === 'changes') {
      if (changes.length > 0 && changes.length + item.changes.length > MAX_CHANGES_PER_APPEND) break;
      held += sizeOfChanges(item.changes).characters;
      changes.push(...item.changes);
    } else {
      finished.push(item.message);
    }
    taken += 1;
  }
  items.splice(0, taken);
  return {
    events: events.map(({ outgoing }) => outgoing),
    ...{ finished, secrets, changes },
    size: { events: events.length, characters: characters + held },
  };
}
