import { backoff } from '@wafleet/runtime';

/** The limits after which a silence is too long. */
export interface QuietLimits {
  /** How often to ask the detector, ms. */
  readonly lookMs: number;
  /** A silence shorter than this is never too long, ms. */
  readonly silenceMs: number;
  /** A silence is too long when it is this many times the session's usual time between two stanzas. */
  readonly timesUsual: number;
  /** The number of stanzas from which the usual time is known. */
  readonly arrivals: number;
  /** A silence of this length is too long while the usual time is not known, ms. Up to a quarter is added. */
  readonly unusualMs: number;
  /** How long WhatsApp may take to begin or continue the delivery of the messages that waited for a login, ms. */
  readonly backlogMs: number;
  /** The number of own messages that WhatsApp acknowledged while nothing else came. */
  readonly unansweredSends: number;
  /** How long nothing came besides those acknowledgements, ms. */
  readonly unansweredMs: number;
  /**
   * The least time between two reconnects, ms. Doubles after each reconnect that brought nothing, up to the longest.
   */
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

/** A longer time between two stanzas counts as this long, so that one night does not change the usual time. */
const LONGEST_USUAL_MS = HOUR_MS;
/** Stanzas that WhatsApp delivers, as opposed to its answers. */
const DELIVERED: ReadonlySet<unknown> = new Set(['message', 'receipt', 'notification', 'call']);
/** The weight of the newest time between two stanzas in the moving average. */
const NEWEST = 0.1;

/** Why a connection is considered dead. */
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
 * Detects a connection that is open but dead: WhatsApp answers pings, queries and sends over it, and delivers nothing.
 * Users of Baileys report this (WhiskeySockets/Baileys, issues 1974 and 2331); only another login ends it. No query
 * shows whether messages are waiting, so the detector uses signs: messages that waited for the login are announced and
 * do not come; own messages are acknowledged and nothing else comes; the session is silent for much longer than usual.
 *
 * The usual time is learned by this object. A session that was just taken over does not know it, and its connection may
 * be dead from the start. Until the usual time is known, four hours without anything count as too long. Each session
 * adds a share of its own to that, so that the sessions that one deployment moved do not reconnect together.
 *
 * A sign may be wrong, and a reconnect costs a login. So reconnects are at least some hours apart, and the interval
 * doubles after each reconnect that brought nothing.
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
  /** Reconnects since WhatsApp last delivered something. */
  #reconnectsInVain = 0;

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

  /** When WhatsApp last delivered something, ms since 1970; 0 if it never did. */
  get lastStanzaAt(): number {
    return this.#lastStanzaAt;
  }

  /** When WhatsApp last delivered a message, ms since 1970; 0 if it never did. */
  get lastMessageAt(): number {
    return this.#lastMessageAt;
  }

  /** A connection begins. Its login announces again the messages that wait. */
  begin(): void {
    this.#announced = 0;
    this.#acknowledged = 0;
    this.#openedAt = this.#now();
  }

  /** Call this with every stanza that is decrypted off the socket. */
  see(frame: unknown): void {
    if (!isStanza(frame)) return;
    if (DELIVERED.has(frame.tag)) this.#delivered(frame);
    else if (frame.tag === 'ack' && frame.attrs.class === 'message') this.#acknowledged += 1;
    else if (frame.tag === 'ib') this.#seeBacklog(frame.content);
  }

  /**
   * Why the open connection is considered dead. Undefined if it is not, or if it is too early for another reconnect.
   */
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

  /** The connection is replaced because of a verdict. */
  reconnecting(): void {
    const { first, longest } = this.limits.pauseMs;
    this.#pauseMs = backoff({ baseMs: first, capMs: longest })(this.#reconnectsInVain);
    this.#reconnectsInVain += 1;
    this.#reconnectedAt = this.#now();
  }

  #delivered({ tag, attrs }: Stanza): void {
    const now = this.#now();
    // Messages that waited for the login come at once, so they do not count for the usual time.
    if (attrs.offline === undefined && this.#lastStanzaAt > 0) {
      const sinceMs = Math.min(now - this.#lastStanzaAt, LONGEST_USUAL_MS);
      this.#usualMs = this.#arrivals === 0 ? sinceMs : this.#usualMs + NEWEST * (sinceMs - this.#usualMs);
      this.#arrivals += 1;
    }
    this.#reconnectsInVain = 0;
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
