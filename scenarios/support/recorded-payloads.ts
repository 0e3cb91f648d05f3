import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { withOtherIds } from './other-ids.js';
import type { Published } from './published.js';

const LISTS = ['messages', 'updates', 'reactions', 'keys', 'chats', 'groups', 'contacts', 'calls'] as const;

/** Splits an event into the items of its list, because events that come close together may be merged into one. */
export function itemsOf({ event, payload }: Published): Published[] {
  const list = LISTS.find((name) => Array.isArray(payload[name]));
  const items: unknown = list === undefined ? undefined : payload[list];
  if (list === undefined || !Array.isArray(items)) return [{ event, payload }];
  return items.map((item: unknown) => ({ event, payload: { ...payload, [list]: [item] } }));
}

const recorded: Readonly<Record<string, readonly Published[]>> = JSON.parse(
  readFileSync(new URL('../../packages/session/fixtures/published-events.json', import.meta.url), 'utf8'),
);

export const TRIGGERS = Object.keys(recorded);

/** Baileys' buffer had lost some data in the recording that the service preserves. These functions add it. */
const BEYOND: Readonly<Record<string, (items: Published[]) => Published[]>> = {
  // `isLatest` does not apply to a part of the history that was requested.
  'on-demand history': (items) =>
    items.map(({ event, payload }) => {
      const { isLatest: _, ...sync } = payload.sync as Record<string, unknown>;
      const chats = { chats: [{ id: '106825993066104@lid', lastMessageRecvTimestamp: 1795325877 }] };
      return { event, payload: { ...payload, ...(event === 'chats.upsert' ? chats : {}), sync } };
    }),
  // The pairs of LID and phone number, of the chat and of everyone whom the phone knows.
  'history RECENT chunk': ([contact, ...rest]) => {
    const { history, sync } = contact?.payload ?? {};
    const pairs = [
      ['106825993066104', '15551230001'],
      ['114163061586523', '15551230002'],
    ].map(([lid, number]): Published => {
      const pair = { id: `${lid}@lid`, lid: `${lid}@lid`, phoneNumber: `${number}@s.whatsapp.net` };
      return { event: 'contacts.update', payload: { contacts: [pair], history, sync } };
    });
    const others = rest.map(({ event, payload }): Published => {
      const [chat] = Array.isArray(payload.chats) ? payload.chats : [];
      const chats =
        chat === undefined ? {} : { chats: [{ ...chat, lastMessageRecvTimestamp: 1_700_000_001 }] };
      return { event, payload: { ...payload, ...chats } };
    });
    return [...(contact === undefined ? [] : [contact]), ...pairs, ...others];
  },
  // Baileys emits nothing for a message that linked devices do not get.
  'unavailable view-once fanout (acked, not emitted)': () => [
    {
      event: 'messages.upsert',
      payload: {
        messages: [
          {
            key: {
              remoteJid: '114163061586523@lid',
              remoteJidAlt: '15551230002@s.whatsapp.net',
              fromMe: false,
              id: 'UN1',
              addressingMode: 'lid',
              isViewOnce: true,
            },
            unavailable: { type: 'content', reason: 'view-once' },
            messageTimestamp: 1795326883,
            broadcast: false,
            messageStubType: 2,
          },
        ],
        type: 'notify',
      },
    },
  ],
  // Baileys drops the reason why a call ended.
  'missed call (terminate timeout)': (items) =>
    items.map(({ event, payload }) => {
      const calls = Array.isArray(payload.calls) ? payload.calls : [];
      const reported = calls.map((call) =>
        call.status === 'timeout' ? { ...call, reason: 'timeout' } : call,
      );
      return { event, payload: event === 'call' ? { ...payload, calls: reported } : payload };
    }),
  // The id of the request that the account's own phone answers.
  'unavailable -> placeholder + PDO resend': (items) =>
    items.map(({ event, payload }, index) => ({
      event,
      payload: index === 2 ? { ...payload, requestId: '3EB05FE578D8A52A9B15C2' } : payload,
    })),
};

/** What must be published for this trigger: the recording, and what Baileys had lost in it. */
export function recordedItems(trigger: string): Published[] {
  const events = recorded[trigger];
  if (events === undefined) throw new Error(`there is no recording of "${trigger}"`);
  const items = events.flatMap(itemsOf);
  return withOtherIds(BEYOND[trigger]?.(items) ?? items);
}

/** Patterns of the recording's times, in seconds and milliseconds. Other times in the recording come from the tests. */
const SECONDS = /^17953268\d\d$/;
const MILLISECONDS = /^17953268\d{5}$/;
const ISO = /^2026-11-22T05:5\d:\d\d\.\d{3}Z$/;
const GENERATED = /^(3EB0[0-9A-F]{16,}|[A-Z]{1,3}\d*|[0-9a-f]{16}|\d{18}@g\.us)$/;

/** The period in which something happened, ms since 1970. WhatsApp's clock has a resolution of seconds. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares payloads with recorded ones. They must be equal except for values that differ from run to run. A time must
 * be within the period in which the trigger was driven. A generated value, such as the id of a message or of a group,
 * must be the same wherever the recording has the same value; `bind` sets such a pair.
 */
export class RecordedComparison {
  readonly #people: readonly (readonly [recorded: string, actual: string])[];
  readonly #bound = new Map<string, string>();
  readonly #times = new Map<number, number>();

  /** @param people numbers and LIDs of the recording, and those of this run. */
  constructor(people: readonly (readonly [recorded: string, actual: string])[]) {
    this.#people = people;
  }

  /** From now on `actual` is expected where the recording has `recorded`. Throws if that is bound to another value. */
  bind(recorded: string, actual: string): void {
    const known = this.#bound.get(recorded);
    if (known !== undefined && known !== actual) throw new Error(`${recorded} is ${known}, not ${actual}`);
    this.#bound.set(recorded, actual);
  }

  /** The value of this run for a recorded one. Throws if it has not come yet. */
  boundTo(recorded: string): string {
    const actual = this.#bound.get(recorded);
    if (actual === undefined) throw new Error(`nothing has come in place of ${recorded}`);
    return actual;
  }

  bindTime(recorded: number, actual: number): void {
    this.#times.set(recorded, actual);
  }

  /** The recorded payload with the values of this run. Takes times and ids from `actual` where they are valid. */
  expected(recorded: unknown, actual: unknown, period: Period): unknown {
    if (Array.isArray(recorded)) {
      return recorded.map((item, index) =>
        this.expected(item, Array.isArray(actual) ? actual[index] : undefined, period),
      );
    }
    if (typeof recorded === 'object' && recorded !== null) {
      return Object.fromEntries(
        Object.entries(recorded).map(([field, inner]) => {
          const name = String(this.#text(field, undefined));
          const now: unknown =
            typeof actual === 'object' && actual !== null ? Reflect.get(actual, name) : undefined;
          return [name, this.expected(inner, now, period)];
        }),
      );
    }
    if (typeof recorded === 'number') return this.#number(recorded, actual, period);
    return typeof recorded === 'string' ? this.#text(recorded, actual, period) : recorded;
  }

  /** The items that came, in the order of the recording as far as they match. `expected` shows those that do not. */
  inOrder(items: readonly Published[], came: readonly Published[], period: Period): Published[] {
    const left = [...came];
    const fitting = items.flatMap((item) => {
      const index = left.findIndex((each) => isDeepStrictEqual(this.expected(item, each, period), each));
      return left.splice(index === -1 ? 0 : index, 1);
    });
    return [...fitting, ...left];
  }

  #number(recorded: number, actual: unknown, period: Period): unknown {
    const known = this.#times.get(recorded);
    if (known !== undefined) return known;
    const unit = SECONDS.test(String(recorded)) ? 1000 : MILLISECONDS.test(String(recorded)) ? 1 : undefined;
    if (unit === undefined || typeof actual !== 'number') return recorded;
    return isWithin(actual * unit, period) ? actual : `a time from ${period.from} to ${period.to}`;
  }

  #text(recorded: string, actual: unknown, period?: Period): unknown {
    const known = this.#bound.get(recorded);
    if (known !== undefined) return known;
    if (period !== undefined && ISO.test(recorded) && typeof actual === 'string') {
      return isWithin(Date.parse(actual), period) ? actual : `a time from ${period.from} to ${period.to}`;
    }
    if (GENERATED.test(recorded) && typeof actual === 'string' && sameKind(recorded, actual)) {
      if ([...this.#bound.values()].includes(actual)) return `something new in place of ${recorded}`;
      this.#bound.set(recorded, actual);
      return actual;
    }
    return this.#people.reduce((text, [before, now]) => text.replaceAll(before, now), recorded);
  }
}

function isWithin(ms: number, { from, to }: Period): boolean {
  return ms >= from - 1000 && ms <= to;
}

/** Whether both are ids of groups, or invitation codes, or ids of messages or calls. */
function sameKind(recorded: string, actual: string): boolean {
  const kind = [/@g\.us$/, /^[0-9a-f]{16}$/, /^[A-Z0-9-]+$/].find((each) => each.test(recorded));
  return kind?.test(actual) === true;
}
