/**
 * How often a writer has an append check the age of a tenant's log: this number of times within the maximum age.
 */
const AGE_LOOKS = 64;

/**
 * How often a writer has an append count the bytes of a tenant's log: after it has appended this number of bytes
 * itself. This is 1/32 of the smallest limit that a tenant may have, or 1/32 of what this log keeps if that is less.
 * Counting with each append would cost Redis a sixth more for every event.
 */
const BYTES_BETWEEN_LOOKS = 128 * 1024;
const BYTE_LOOKS = 32;

/** Approximate bytes of an event in the log besides its body: its position, its name and the id of its session. */
const BYTES_BESIDE_BODY = 64;

/** How many logs are remembered: many more than a worker has sessions. A forgotten log is checked early. */
const REMEMBERED_LOGS = 10_000;

interface Event {
  readonly body: string;
  readonly isHistory?: boolean;
}

/** What one append must check. */
export interface LogLook {
  readonly seesAge: boolean;
  /** Bytes of live events that the writer appended since it last counted them, including these; 0 not to count. */
  readonly countedBytes: number;
  /** Call it if the append failed. Its events count once they are appended. */
  readonly failed: () => void;
  /** Call it if the append succeeded. */
  readonly succeeded: () => void;
}

interface SeenLog {
  /** When an append last checked the log's age. */
  ageAt: number;
  uncountedBytes: number;
}

/** Decides for one writer which appends check the age and the bytes of a tenant's log. Checks are expensive. */
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
    // If several appends count at the same time, each byte is counted by one of them only.
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

/** Approximate: a few bytes for each event do not matter when a log is counted. */
function liveBytesOf(events: readonly Event[]): number {
  let bytes = 0;
  for (const { body, isHistory } of events) {
    if (isHistory !== true) bytes += Buffer.byteLength(body) + BYTES_BESIDE_BODY;
  }
  return bytes;
}
