import { readFileSync } from 'node:fs';
import { proto } from '@whiskeysockets/baileys';

export interface RecordedEvent {
  readonly event: string;
  readonly data: unknown;
}

/**
 * Converts a field of WhatsApp's messages from its JSON form to that of a proto instance: enums become numbers, 64-bit
 * integers Longs.
 */
function reviveField(field: 'messageStubType' | 'status' | 'messageTimestamp', value: string): unknown {
  return proto.WebMessageInfo.fromObject({ [field]: value })[field];
}

function isRevivable(field: string): field is Parameters<typeof reviveField>[0] {
  return ['messageStubType', 'status', 'messageTimestamp'].includes(field);
}

/**
 * Restores a recorded value to the form that Baileys emitted before it was recorded as JSON: contents are proto
 * instances with numeric enums and Longs, stub types and states numbers, a call's date a Date.
 */
function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([field, inner]): [string, unknown] => {
    if (field === 'message' && typeof inner === 'object' && inner !== null && !('key' in inner)) {
      return [field, proto.Message.fromObject(inner)];
    }
    // A call's status is a word of Baileys' own.
    if (typeof inner === 'string' && isRevivable(field) && !('callerPn' in value)) {
      return [field, reviveField(field, inner)];
    }
    if (field === 'date' && typeof inner === 'string') return [field, new Date(inner)];
    return [field, revive(inner)];
  });
  return Object.fromEntries(entries);
}

/** What Baileys emitted, in order, for each of the recorded triggers. */
export function readRecordedEvents(): ReadonlyMap<string, readonly RecordedEvent[]> {
  const file = new URL('../../fixtures/recorded-baileys-events.json', import.meta.url);
  const recorded: Record<string, RecordedEvent[]> = JSON.parse(readFileSync(file, 'utf8'));
  return new Map(
    Object.entries(recorded).map(([trigger, events]) => [
      trigger,
      events.map(({ event, data }) => ({ event, data: revive(data) })),
    ]),
  );
}
