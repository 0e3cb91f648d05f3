import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mapRecorded } from '../testing/mapping.js';
import { readRecordedEvents } from '../testing/recorded-events.js';
import { EVENT_RULES, isBaileysEvent } from './index.js';
import type { MappedEvent } from './mapped-event.js';

/** Recorded events of published kinds that contain nothing to publish, and why. */
const NOTHING_TO_TELL: Readonly<Record<string, string>> = {
  'creds.update of dirty account_sync': 'a time of synchronisation',
  'creds.update of history RECENT chunk': 'the list of processed history',
  'creds.update of pre-key low': 'numbers of keys',
  'messages.upsert of on-demand history': 'a message of the own phone that carries the history itself',
  'messages.upsert of history RECENT chunk': 'a message of the own phone that carries the history itself',
  'messages.upsert of history FULL chunk (default config)': 'a message of the own phone that carries history',
};

const recorded = readRecordedEvents();

/** What clients get for each trigger; the scenario of all triggers asserts the same through the whole cluster. */
const published: Record<string, MappedEvent[]> = JSON.parse(
  readFileSync(new URL('../../fixtures/published-events.json', import.meta.url), 'utf8'),
);

describe('the mapping of recorded events', () => {
  it('covers every recorded trigger', () => {
    expect(recorded.size).toBe(84);
    expect(Object.keys(published)).toEqual([...recorded.keys()]);
  });

  it.each([...recorded])('%s: exactly what clients are to get', (trigger, events) => {
    expect(events.flatMap(mapRecorded)).toEqual(published[trigger]);
  });

  it.each([...recorded])('%s: nothing lost without a reason', (trigger, events) => {
    for (const recordedEvent of events) {
      const { event } = recordedEvent;
      if (!isBaileysEvent(event)) throw new Error(`${event} is not an event of Baileys`);
      const rule = EVENT_RULES[event];
      const because = 'because' in rule ? rule.because : NOTHING_TO_TELL[`${event} of ${trigger}`];
      expect(because === undefined, `${event} of ${trigger}`).toBe(mapRecorded(recordedEvent).length > 0);
    }
  });

  it('lets no key material out', () => {
    const text = JSON.stringify([...recorded.values()].flat().flatMap(mapRecorded));
    expect(text).not.toMatch(
      /senderKeyDistribution|messageSecret|KeyShare|InlinePayload|nextPreKeyId|tcToken/,
    );
    expect(text).toContain('mediaKey');
  });
});
