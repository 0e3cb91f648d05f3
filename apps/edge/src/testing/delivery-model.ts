import { ALL_SESSIONS, parseEventId, type SubscriptionReset } from '@wafleet/contract';

/** An event that is in the log, or was. */
export interface Published {
  readonly seq: number;
  readonly sessionId: string;
  readonly event: string;
}

/** What a client asked for, with names only: no wildcards. */
export interface Wanted {
  readonly events: readonly string[];
  readonly sessions?: readonly string[];
}

interface Interval extends Pair {
  /** After it. */
  from: number;
  /** Up to it, at the latest; undefined while the subscription lasts. */
  to: number | undefined;
}

interface Pair {
  readonly session: string;
  readonly event: string;
}

interface Receipt extends Published {
  /** Which of the client's connections brought it. */
  readonly connection: string;
}

interface Replay {
  readonly connection: string;
  readonly pairs: readonly Pair[];
  readonly since: number;
}

/** What one client must and may get, according to what it asked for, and what it got; for one epoch of the log. */
export class DeliveryModel {
  readonly #intervals: Interval[] = [];
  readonly #replays: Replay[] = [];
  readonly #receipts: Receipt[] = [];
  readonly #lost: { readonly after: number; readonly before: number }[] = [];
  /** The last event of each session that each connection brought, since it last asked for earlier ones. */
  readonly #last = new Map<string, number>();
  readonly #violations: string[] = [];
  readonly #list: readonly string[] | undefined;

  /** @param list the sessions that all sessions stand for; undefined for any. */
  constructor(list?: readonly string[]) {
    this.#list = list;
  }

  /** An acknowledgement that a subscription begins after a position, as the client gets it. */
  subscribed(
    wanted: Wanted,
    start: number,
    { connection, isReplay }: { connection: string; isReplay: boolean },
  ) {
    const pairs = pairsOf(wanted);
    for (const pair of pairs) {
      const open = this.#intervals.find((each) => each.to === undefined && isSame(each, pair));
      if (open === undefined) this.#intervals.push({ ...pair, from: start, to: undefined });
      else open.from = Math.min(open.from, start);
    }
    if (!isReplay) return;
    this.#replays.push({ connection, pairs, since: start });
    this.#last.clear();
  }

  /** An acknowledgement of the end of a subscription; nothing after the position may come. */
  unsubscribed({ events, sessions }: Wanted, end: number): void {
    for (const interval of this.#intervals) {
      const isEnded = events.includes(interval.event) && (sessions?.includes(interval.session) ?? true);
      if (isEnded) interval.to ??= end;
    }
  }

  received(receipt: Receipt): void {
    const { connection, sessionId, seq } = receipt;
    this.#receipts.push(receipt);
    const name = `${connection} ${sessionId}`;
    const last = this.#last.get(name) ?? 0;
    if (seq <= last) this.#violations.push(`${seq} of ${sessionId} came after ${last}`);
    this.#last.set(name, Math.max(seq, last));
  }

  reset({ lost }: SubscriptionReset): void {
    const [after, before] = [parseEventId(lost.after)?.seq ?? 0, parseEventId(lost.before)?.seq ?? 0];
    this.#lost.push({ after, before });
  }

  /** The violations, once everything that is owed has come. */
  violations(log: readonly Published[], { wasTrimmed }: { wasTrimmed: boolean }): string[] {
    const received = new Set(this.#receipts.map(({ seq }) => seq));
    const isLost = (seq: number) => this.#lost.some(({ after, before }) => after < seq && seq < before);
    const covers = (interval: Interval, { seq, event, sessionId }: Published) =>
      this.#isOf(interval, event, sessionId) &&
      interval.from < seq &&
      seq <= (interval.to ?? Number.POSITIVE_INFINITY);
    const missing = log.filter(
      (each) =>
        !received.has(each.seq) &&
        !isLost(each.seq) &&
        this.#intervals.some((interval) => interval.to === undefined && covers(interval, each)),
    );
    const foreign = this.#receipts.filter(
      (each) => !this.#intervals.some((interval) => covers(interval, each)),
    );
    return [
      ...this.#violations,
      ...this.#repeated(),
      ...missing.map(({ seq, sessionId, event }) => `${seq}, ${event} of ${sessionId}, is missing`),
      ...foreign.map(({ seq, sessionId, event }) => `${seq}, ${event} of ${sessionId}, was not asked for`),
      ...(wasTrimmed ? [] : this.#lost.map((range) => `a loss was reported: ${JSON.stringify(range)}`)),
    ];
  }

  /** Events that one connection brought more often than it had asked for. */
  #repeated(): string[] {
    const counts = new Map<string, number>();
    return this.#receipts.flatMap(({ seq, event, sessionId, connection }) => {
      const name = `${connection} ${seq}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      const replays = this.#replays.filter(
        (replay) =>
          replay.connection === connection &&
          replay.since < seq &&
          replay.pairs.some((pair) => this.#isOf(pair, event, sessionId)),
      );
      return count > 1 + replays.length ? [`${seq} of ${sessionId} came ${count} times`] : [];
    });
  }

  #isOf(pair: Pair, event: string, sessionId: string): boolean {
    if (pair.event !== event) return false;
    if (pair.session !== ALL_SESSIONS) return pair.session === sessionId;
    return this.#list?.includes(sessionId) ?? true;
  }
}

function pairsOf({ events, sessions = [ALL_SESSIONS] }: Wanted): Pair[] {
  return sessions.flatMap((session) => events.map((event) => ({ session, event })));
}

function isSame(one: Pair, other: Pair): boolean {
  return one.session === other.session && one.event === other.event;
}
