/** When a silence counts as too long. */
export interface QuietLimits {
  /** How often the watch should be asked, ms. */
  readonly lookMs: number;
  /** No silence shorter than this is too long, ms. */
  readonly silenceMs: number;
  /** A silence is too long when it is this many times the session's usual time between two stanzas. */
  readonly timesUsual: number;
  /** Stanzas that must have come before there is a usual time. */
  readonly arrivals: number;
  /** A silence is too long when there is no usual time yet and it lasts this long, ms; up to a quarter is added. */
  readonly unusualMs: number;
  /** How long WhatsApp may take to begin or go on with what waited for a login, ms. */
  readonly backlogMs: number;
  /** Own messages that WhatsApp acknowledged while nothing came. */
  readonly unansweredSends: number;
  /** For how long nothing came besides those acknowledgements, ms. */
  readonly unansweredMs: number;
  /** The least time between two reconnects, ms: doubled by each one that brought nothing, up to the longest. */
  readonly pauseMs: { readonly first: number; readonly longest: number };
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const QUIET_LIMITS: QuietLimits = {
  lookMs: MINUTE_MS,
  silenceMs: 30 * MINUTE_MS,
  timesUsual: 20,
  arrivals: 20,
  unusualMs: 4 * HOUR_MS,
  backlogMs: MINUTE_MS,
  unansweredSends: 5,
  unansweredMs: 10 * MINUTE_MS,
  pauseMs: { first: 3 * HOUR_MS, longest: 24 * HOUR_MS },
};

/** A longer time between two stanzas counts as this long, so that one night does not change what is usual. */
const LONGEST_USUAL_MS = HOUR_MS;
/** What WhatsApp delivers, in contrast to what it answers. */
const DELIVERED: ReadonlySet<unknown> = new Set(['message', 'receipt', 'notification', 'call']);
/** The weight of the newest time between two stanzas in the moving average. */
const NEWEST = 0.1;

/** Why a connection is taken for dead. */
export type Quiet = 'silence' | 'backlog-held-back' | 'sends-unanswered';

interface Stanza {
  readonly tag: unknown;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  readonly content?: unknown;
}

function isStanza(frame: unknown): frame is Stanza {
  return typeof frame === 'object' && frame !== null && 'tag' in frame && 'attrs' in frame;
}

/**
 * Notices a connection that is open and dead: WhatsApp answers pings, queries and sends over it, and delivers nothing.
 * Users of Baileys report it (WhiskeySockets/Baileys, issues 1974 and 2331); only another login ends it. There is no
 * query that tells whether something waits, so some signs count: what waited for the login is announced and does not
 * come; own messages are acknowledged and nothing else comes; the session is silent against its own habit.
 *
 * The habit is this object's: a session that was just taken over has none, and its connection may be dead from the
 * first moment. Until a habit is known, four hours without anything count as too long. Each session adds a part of its
 * own to that, so that the sessions that one deployment moved do not reconnect together.
 *
 * A sign may be wrong, and a reconnect costs a login. So reconnects are at least some hours apart, twice as long after
 * each one that brought nothing.
 */
export class SilenceDetector {
  readonly limits: QuietLimits;
  readonly #now: () => number;
  readonly #unusualMs: number;
  #lastStanzaAt = 0;
  #lastMessageAt = 0;
  #openedAt = 0;
  #arrivals = 0;
  #usualMs = 0;
  #acknowledged = 0;
  #announced = 0;
  #backlogAt = 0;
  #reconnectedAt = Number.NEGATIVE_INFINITY;
  #pauseMs: number;
  #hasHelped = true;

  /**
   * @param now ms since 1970.
   * @param share of the quarter that this session adds to `unusualMs`, from 0 to 1.
   */
  constructor(
    limits: Partial<QuietLimits> = {},
    now: () => number = Date.now,
    share: number = Math.random(),
  ) {
    this.limits = { ...QUIET_LIMITS, ...limits };
    this.#now = now;
    this.#unusualMs = this.limits.unusualMs * (1 + share / 4);
    this.#pauseMs = this.limits.pauseMs.first;
  }

  /** When WhatsApp last delivered something, ms since 1970; 0 if it has not. */
  get lastStanzaAt(): number {
    return this.#lastStanzaAt;
  }

  /** When WhatsApp last delivered a message, ms since 1970; 0 if it has not. */
  get lastMessageAt(): number {
    return this.#lastMessageAt;
  }

  /** A connection begins; its login announces again what waits. */
  begin(): void {
    this.#announced = 0;
    this.#acknowledged = 0;
    this.#openedAt = this.#now();
  }

  /** To be called with everything that is decrypted off the socket. */
  see(frame: unknown): void {
    if (!isStanza(frame)) return;
    if (DELIVERED.has(frame.tag)) this.#delivered(frame);
    else if (frame.tag === 'ack' && frame.attrs.class === 'message') this.#acknowledged += 1;
    else if (frame.tag === 'ib') this.#seeBacklog(frame.content);
  }

  /** Why the connection, which is open, is taken for dead; undefined if it is not, or if it is too early for another one. */
  verdict(): Quiet | undefined {
    const now = this.#now();
    if (now - this.#reconnectedAt < this.#pauseMs) return undefined;
    const { silenceMs, timesUsual, arrivals, backlogMs, unansweredSends, unansweredMs } = this.limits;
    if (this.#announced > 0 && now - this.#backlogAt >= backlogMs) return 'backlog-held-back';
    const silentMs = now - Math.max(this.#lastStanzaAt, this.#openedAt);
    if (this.#acknowledged >= unansweredSends && silentMs >= unansweredMs) return 'sends-unanswered';
    const isUsualKnown = this.#arrivals >= arrivals;
    const tooLongMs = isUsualKnown ? Math.max(silenceMs, timesUsual * this.#usualMs) : this.#unusualMs;
    return silentMs >= tooLongMs ? 'silence' : undefined;
  }

  /** The connection is replaced, because of a verdict. */
  reconnecting(): void {
    const { first, longest } = this.limits.pauseMs;
    this.#pauseMs = this.#hasHelped ? first : Math.min(longest, 2 * this.#pauseMs);
    this.#reconnectedAt = this.#now();
    this.#hasHelped = false;
  }

  #delivered({ tag, attrs }: Stanza): void {
    const now = this.#now();
    // What waited for a login comes at once, and says nothing of the usual time.
    if (attrs.offline === undefined && this.#lastStanzaAt > 0) {
      const sinceMs = Math.min(now - this.#lastStanzaAt, LONGEST_USUAL_MS);
      this.#usualMs = this.#arrivals === 0 ? sinceMs : this.#usualMs + NEWEST * (sinceMs - this.#usualMs);
      this.#arrivals += 1;
    }
    this.#hasHelped = true;
    this.#lastStanzaAt = now;
    this.#backlogAt = now;
    this.#acknowledged = 0;
    if (tag === 'message') this.#lastMessageAt = now;
  }

  #seeBacklog(content: unknown): void {
    for (const child of Array.isArray(content) ? content : []) {
      if (!isStanza(child)) continue;
      if (child.tag === 'offline') this.#announced = 0;
      if (child.tag !== 'offline_preview') continue;
      this.#announced = Number(child.attrs.count) || 0;
      this.#backlogAt = this.#now();
    }
  }
}
