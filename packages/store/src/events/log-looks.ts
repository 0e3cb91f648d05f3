/**
 * How often a writer has an append look at the age of a tenant's log: this many times within the age.
 */
const AGE_LOOKS = 64;

/**
 * How often a writer has an append count the bytes of a tenant's log: after it appended this many bytes itself. That is a
 * thirty-second part of the least that a tenant may keep, or a smaller part of what this log keeps. To count with each
 * append would cost Redis a sixth more for every event.
 */
const BYTES_BETWEEN_LOOKS = 128 * 1024;
const BYTE_LOOKS = 32;

/** What an event has in the log besides its body, about: its position, its name and the id of its session. */
const BYTES_BESIDE_BODY = 64;

/** How many logs are remembered: many more than a worker has sessions. One that is forgotten is looked at early. */
const REMEMBERED_LOGS = 10_000;

interface Event {
  readonly body: string;
  readonly isHistory?: boolean;
}

/** What one append is to look at. */
export interface LogLook {
  readonly seesAge: boolean;
  /** How many bytes of live events the writer appended since it counted them last, with these; 0 if not to count. */
  readonly countedBytes: number;
  /** Call it when the append has failed: its events count when they are appended. */
  readonly failed: () => void;
  /** Call it when the append has succeeded. */
  readonly succeeded: () => void;
}

interface SeenLog {
  /** When an append looked at the log's age last. */
  ageAt: number;
  uncountedBytes: number;
}

/** Decides for one writer which appends look at the age and the bytes of a tenant's log. Looks are expensive. */
export class LogLooks {
  readonly #maxAgeMs: number;
  readonly #bytesBetweenLooks: number;
  readonly #logs = new Map<string, SeenLog>();

  constructor({ maxAgeMs, logBytes }: { maxAgeMs: number; logBytes: number }) {
    this.#maxAgeMs = maxAgeMs;
    this.#bytesBetweenLooks = Math.min(BYTES_BETWEEN_LOOKS, logBytes / BYTE_LOOKS);
  }

  /** @param now by the monotonic clock, ms. */
  begin(tenantId: string, events: readonly Event[], now: number): LogLook {
    const log = this.#logOf(tenantId);
    const seesAge = now - log.ageAt >= this.#maxAgeMs / AGE_LOOKS;
    const bytes = liveBytesOf(events);
    const uncounted = log.uncountedBytes + bytes;
    const counts = seesAge || uncounted >= this.#bytesBetweenLooks;
    // Of what several appends count at the same time, each byte is one append's.
    log.uncountedBytes = counts ? 0 : uncounted;
    return {
      seesAge,
      countedBytes: counts ? uncounted : 0,
      failed: () => {
        log.uncountedBytes += (counts ? uncounted : 0) - bytes;
      },
      succeeded: () => {
        if (seesAge && events.length > 0) log.ageAt = now;
      },
    };
  }

  #logOf(tenantId: string): SeenLog {
    const known = this.#logs.get(tenantId);
    if (known !== undefined) return known;
    const log = { ageAt: Number.NEGATIVE_INFINITY, uncountedBytes: 0 };
    this.#logs.set(tenantId, log);
    const [oldest] = this.#logs.keys();
    if (this.#logs.size > REMEMBERED_LOGS && oldest !== undefined) this.#logs.delete(oldest);
    return log;
  }
}

/** About: where a log is counted, a few bytes an event do not matter. */
function liveBytesOf(events: readonly Event[]): number {
  let bytes = 0;
  for (const { body, isHistory } of events) {
    if (isHistory !== true) bytes += Buffer.byteLength(body) + BYTES_BESIDE_BODY;
  }
  return bytes;
}
