import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { EventName } from '@wafleet/contract';
import { withOtherIds } from './other-ids.js';

/** What clients get of one thing that happened: an item of an event's list, or the event where it has none. */
export interface Published {
  readonly event: EventName;
  readonly payload: Readonly<Record<string, unknown>>;
}

const LISTS = ['messages', 'updates', 'reactions', 'keys', 'chats', 'groups', 'contacts', 'calls'] as const;

/** Events that come close together may come as one: each item of a list for itself. */
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

/** What Baileys' buffer had lost in the recording, and the service keeps from being lost: what is told beyond it. */
const BEYOND: Readonly<Record<string, (items: Published[]) => Published[]>> = {
  // A part of the history that was asked for is neither the latest nor not.
  'on-demand history': (items) =>
    items.map(({ event, payload }) => {
      const { isLatest: _, ...sync } = payload.sync as Record<string, unknown>;
      const chats = { chats: [{ id: '106825993066104@lid', lastMessageRecvTimestamp: 1795325877 }] };
      return { event, payload: { ...payload, ...(event === 'chats.upsert' ? chats : {}), sync } };
    }),
  // The pairs of LID and phone number, of the chat and of everybody whom the phone knows.
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
  // Baileys says nothing of a message that linked devices do not get.
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
  // Baileys drops why a call ended.
  'missed call (terminate timeout)': (items) =>
    items.map(({ event, payload }) => {
      const calls = Array.isArray(payload.calls) ? payload.calls : [];
      const told = calls.map((call) => (call.status === 'timeout' ? { ...call, reason: 'timeout' } : call));
      return { event, payload: event === 'call' ? { ...payload, calls: told } : payload };
    }),
  // The request that the own phone answers.
  'unavailable -> placeholder + PDO resend': (items) =>
    items.map(({ event, payload }, index) => ({
      event,
      payload: index === 2 ? { ...payload, requestId: '3EB05FE578D8A52A9B15C2' } : payload,
    })),
};

/** What is to be published of this trigger, as it was recorded and more. */
export function recordedItems(trigger: string): Published[] {
  const events = recorded[trigger];
  if (events === undefined) throw new Error(`there is no recording of "${trigger}"`);
  const items = events.flatMap(itemsOf);
  return withOtherIds(BEYOND[trigger]?.(items) ?? items);
}

/** The times at which it was recorded, in seconds and in milliseconds; others in the recording are the tests' own. */
const SECONDS = /^17953268\d\d$/;
const MILLISECONDS = /^17953268\d{5}$/;
const ISO = /^2026-11-22T05:5\d:\d\d\.\d{3}Z$/;
const GENERATED = /^(3EB0[0-9A-F]{16,}|[A-Z]{1,3}\d*|[0-9a-f]{16}|\d{18}@g\.us)$/;

/** The time between which something happened, in ms since 1970. WhatsApp's clock has seconds. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/**
 * Compares payloads with recorded ones. They must be the same but for what differs from run to run, which is bound:
 * a time must lie within the period in which the trigger was driven, and what is generated, such as the id of a
 * message or of a group, must be the same wherever the recording has the same; `bind` says what that is.
 */
export class RecordedComparison {
  readonly #people: readonly (readonly [recorded: string, actual: string])[];
  readonly #bound = new Map<string, string>();
  readonly #times = new Map<number, number>();

  /** @param people numbers and LIDs of the recording, and those of now. */
  constructor(people: readonly (readonly [recorded: string, actual: string])[]) {
    this.#people = people;
  }

  /** What is recorded as `recorded` is now `actual`. */
  bind(recorded: string, actual: string): void {
    const known = this.#bound.get(recorded);
    if (known !== undefined && known !== actual) throw new Error(`${recorded} is ${known}, not ${actual}`);
    this.#bound.set(recorded, actual);
  }

  /** What is now in place of what is recorded. Throws while that has not come. */
  boundTo(recorded: string): string {
    const actual = this.#bound.get(recorded);
    if (actual === undefined) throw new Error(`nothing has come in place of ${recorded}`);
    return actual;
  }

  bindTime(recorded: number, actual: number): void {
    this.#times.set(recorded, actual);
  }

  /** The recorded payload as it should be now, told from what came: times and ids that fit are those that came. */
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

  /** The items that came in the order of the recording, where they fit; `expected` says what does not. */
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

/** Whether both are ids of groups, or codes of invitation, or ids of messages or calls. */
function sameKind(recorded: string, actual: string): boolean {
  const kind = [/@g\.us$/, /^[0-9a-f]{16}$/, /^[A-Z0-9-]+$/].find((each) => each.test(recorded));
  return kind?.test(actual) === true;
}
