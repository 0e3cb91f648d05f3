import { type Restrictions, WafleetError } from '@wafleet/contract';
import type { BaileysEventMap, WASocket } from '@whiskeysockets/baileys';
import { get } from '../../baileys/untyped.js';
import { answerInTime } from '../answer-in-time.js';
import { fromBaileys, REQUEST_REFUSALS, whatsAppRefused } from '../baileys-errors.js';

/** How long an answer of WhatsApp is repeated. */
const CACHED_MS = 30_000;

type Limits = Pick<Restrictions, 'timeLock' | 'newChats'>;
type TimeLock = NonNullable<BaileysEventMap['connection.update']['reachoutTimeLock']>;
type Quota = Awaited<ReturnType<WASocket['fetchNewChatMessageCap']>>;

/** A time lock that WhatsApp has announced. `until` is undefined if WhatsApp names no end. */
interface AnnouncedLock {
  readonly isActive: boolean;
  readonly until: Date | undefined;
  readonly isNew: boolean;
}

/** What WhatsApp itself says of how much the account may write. */
export class WhatsAppLimits {
  #cached: { readonly at: number; readonly limits: Promise<Limits> } | undefined;
  /** The time lock that clients learned last. */
  #reported = JSON.stringify(toTimeLock({}));

  /**
   * Asks WhatsApp, at most once in 30 s unless it has announced a change meanwhile.
   * @param options.isFresh asks in any case.
   * @throws {WafleetError} WHATSAPP_REFUSED with the code; UNAVAILABLE if WhatsApp does not answer in 10 s.
   */
  read(socket: WASocket, { isFresh = false }: { readonly isFresh?: boolean } = {}): Promise<Limits> {
    const now = performance.now();
    if (!isFresh && this.#cached !== undefined && now - this.#cached.at < CACHED_MS)
      return this.#cached.limits;
    const limits = ask(socket);
    const cached = { at: now, limits };
    this.#cached = cached;
    limits.catch(() => {
      if (this.#cached === cached) this.#cached = undefined;
    });
    return limits;
  }

  /**
   * Notes what WhatsApp announces. Returns the time lock if there is one among it. `isNew`: it is another one than
   * before. Baileys emits it after each question too. Never throws.
   */
  receive(events: Partial<BaileysEventMap>): AnnouncedLock | undefined {
    if (events['message-capping.update'] !== undefined) this.#cached = undefined;
    const lock = events['connection.update']?.reachoutTimeLock;
    if (lock === undefined) return undefined;
    const now = JSON.stringify(toTimeLock(lock));
    const isNew = now !== this.#reported;
    if (isNew) {
      this.#reported = now;
      this.#cached = undefined;
    }
    const until = isDate(lock.timeEnforcementEnds) ? lock.timeEnforcementEnds : undefined;
    return { isActive: lock.isActive === true, until, isNew };
  }

  /** Takes the next time lock for a new one, also if it is the same. */
  forgetLock(): void {
    this.#reported = '';
  }
}

async function ask(socket: WASocket): Promise<Limits> {
  // One after the other: WhatsApp counts queries that come at once.
  const timeLock = await answerOf(socket.fetchAccountReachoutTimelock());
  return { timeLock: toTimeLock(timeLock), newChats: toNewChats(await askForQuota(socket)) };
}

/** The quota of new chats; null if WhatsApp refuses to name one, as an account without a quota may get it. */
async function askForQuota(socket: WASocket): Promise<Quota | null> {
  try {
    return await answerOf(socket.fetchNewChatMessageCap());
  } catch (error) {
    if (error instanceof WafleetError && error.code === 'WHATSAPP_REFUSED' && error.details?.code !== 429) {
      return null;
    }
    throw error;
  }
}

async function answerOf<T>(asked: Promise<T>): Promise<T> {
  const unanswered = (cause: unknown) =>
    new WafleetError('UNAVAILABLE', 'WhatsApp did not answer.', undefined, { cause });
  try {
    return await answerInTime(asked, unanswered);
  } catch (error) {
    // Baileys keeps the error of such a query whole: its code is not where that of other requests is.
    const code = get(get(get(error, 'data'), 'extensions'), 'error_code');
    if (typeof code === 'number') throw whatsAppRefused(code, { refusals: REQUEST_REFUSALS, cause: error });
    throw fromBaileys(error, { refusals: REQUEST_REFUSALS, otherwise: unanswered });
  }
}

function toTimeLock({
  isActive = false,
  timeEnforcementEnds,
  enforcementType,
}: TimeLock): Limits['timeLock'] {
  return {
    isActive,
    until: isActive && isDate(timeEnforcementEnds) ? timeEnforcementEnds.toISOString() : null,
    type: isActive ? (enforcementType ?? null) : null,
  };
}

/** Baileys makes a Date of whatever WhatsApp writes. */
function isDate(date: Date | undefined): date is Date {
  return date !== undefined && !Number.isNaN(date.getTime());
}

/** WhatsApp names a quota for accounts that have one. */
function toNewChats(quota: Quota | null): Limits['newChats'] {
  const total = Number(quota?.total_quota);
  if (quota === null || !Number.isSafeInteger(total) || quota.total_quota === undefined || total < 0)
    return null;
  const used = Number(quota.used_quota);
  return {
    total,
    used: Number.isSafeInteger(used) ? used : 0,
    cycleStartsAt: instantOf(quota.cycle_start_timestamp),
    cycleEndsAt: instantOf(quota.cycle_end_timestamp),
    status: quota.capping_status ?? null,
  };
}

/** Seconds since 1970, as WhatsApp writes them. */
function instantOf(seconds: string | undefined): string | null {
  const ms = Number(seconds) * 1_000;
  return ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : null;
}
