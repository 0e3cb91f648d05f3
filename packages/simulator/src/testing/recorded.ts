import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Client, EmittedEvent } from './client.js';
import { until } from './until.js';

const recorded: Readonly<Record<string, readonly EmittedEvent[]>> = JSON.parse(
  readFileSync(new URL('../../fixtures/recorded-baileys-events.json', import.meta.url), 'utf8'),
);

/** Events about the connection and the credentials. Their time of arrival varies. */
const incidental: ReadonlySet<string> = new Set(['connection.update', 'creds.update']);

/** What Baileys emitted when this trigger was recorded. Throws for an unknown trigger. */
function recording(trigger: string): readonly EmittedEvent[] {
  const events = recorded[trigger];
  if (!events) throw new Error(`there is no recording of "${trigger}"`);
  return events;
}

/**
 * Runs `act` and collects what the client emits until as many events have come as were recorded for the trigger and
 * `settled` (default: the client has acknowledged every stanza) holds. `connection.update` and `creds.update` are
 * left out unless the recording has them.
 */
async function eventsOf(
  trigger: string,
  client: Client,
  act: () => unknown,
  settled: () => boolean = () => client.device.pendingCount === 0,
): Promise<EmittedEvent[]> {
  const expected = single(recording(trigger));
  const names = new Set<string>(expected.map(({ event }) => event));
  const start = client.events.length;
  const collected = (): EmittedEvent[] =>
    single(client.events.slice(start).filter(({ event }) => names.has(event) || !incidental.has(event)));
  await act();
  await until(`events of "${trigger}"`, () => collected().length >= expected.length && settled()).catch(
    () => undefined,
  );
  return collected();
}

/** Fails if the events differ from the recorded ones in anything but ids, times, keys and people. */
function expectRecorded(trigger: string, events: readonly EmittedEvent[]): void {
  expect(normalised(single(events))).toEqual(normalised(single(recording(trigger))));
}

/** Splits each event with a list into one event per item, because Baileys merges items that arrive close together. */
function single(events: readonly EmittedEvent[]): EmittedEvent[] {
  return events.flatMap(({ event, data }) =>
    Array.isArray(data) ? data.map((item) => ({ event, data: [item] })) : [{ event, data }],
  );
}

/** Runs `act` and fails when the client's events differ from those recorded for the trigger. See `eventsOf`. */
export async function expectTrigger(
  trigger: string,
  client: Client,
  act: () => unknown,
  settled?: () => boolean,
): Promise<void> {
  expectRecorded(trigger, await eventsOf(trigger, client, act, settled));
}

/** Names in the order in which they first appear, so that the same structure gets the same names. */
class Names {
  readonly #names = new Map<string, string>();

  of(kind: string, value: string): string {
    const known = this.#names.get(value);
    if (known) return known;
    const name = `<${kind} ${this.#names.size + 1}>`;
    this.#names.set(value, name);
    return name;
  }
}

const seconds = /^1[67]\d{8}$/;
const milliseconds = /^1[67]\d{11}$/;
const jid = /\d[\d-]{4,}(:\d+)?@(lid|s\.whatsapp\.net|g\.us)/g;
const idFields: ReadonlySet<string> = new Set(['id', 'stanzaId', 'peerDataRequestSessionId']);
const generatedId = /^3(EB0|A)[0-9A-F]{16,}$/;
const isoDate = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const inviteCode = /^[0-9a-f]{16}$/;
const byteFields: ReadonlySet<string> = new Set([
  'messageSecret',
  'axolotlSenderKeyDistributionMessage',
  'webMessageInfoBytes',
  'initialHistBootstrapInlinePayload',
]);

function normalised(events: readonly EmittedEvent[]): unknown {
  const names = new Names();
  return events.map(({ event, data }) => ({ event, data: walk(data, '', names) }));
}

function walk(value: unknown, field: string, names: Names): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, field, names));
  if (typeof value === 'number') return scalar(String(value), value);
  if (typeof value === 'string') return text(value, field, names);
  if (typeof value !== 'object' || value === null) return value;
  if ('low' in value && 'unsigned' in value) return { long: value.unsigned ? 'unsigned' : 'signed' };
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, item]) => [named(key, names), walk(item, key, names)]));
}

function text(value: string, field: string, names: Names): unknown {
  if (byteFields.has(field)) return '<bytes>';
  const withNames = named(value, names);
  if (withNames !== value) return withNames;
  if ((idFields.has(field) && value !== 'status@broadcast') || generatedId.test(value))
    return names.of('id', value);
  if (isoDate.test(value)) return '<date>';
  return inviteCode.test(value) ? names.of('code', value) : scalar(value, value);
}

function named(value: string, names: Names): string {
  return value.replace(jid, (found, device: string | undefined, server: string) => {
    const user = found.slice(0, found.indexOf('@')).split(':')[0] ?? '';
    return `${names.of('user', user)}${device ? ':device' : ''}@${server}`;
  });
}

function scalar<Value>(digits: string, value: Value): Value | string {
  if (seconds.test(digits)) return `<${typeof value} of seconds>`;
  return milliseconds.test(digits) ? `<${typeof value} of milliseconds>` : value;
}
