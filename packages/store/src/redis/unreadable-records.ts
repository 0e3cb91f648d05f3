import type { Logger } from '@wafleet/runtime';

/** How long a reported record is not reported again, ms. */
const QUIET_MS = 5 * 60 * 1000;
/** How many reported records are remembered. Beyond that the oldest is forgotten, and may be reported again early. */
const MOST_REMEMBERED = 10_000;

/** Identifies a record in the log. It never contains the record's content, which may be secret. */
export interface UnreadableRecord {
  /** Such as `session`, `heartbeat` or `api-key`. */
  readonly kind: string;
  /** Unique within its kind. */
  readonly name: string;
  /** The fields that cannot be read. Empty if none can. */
  readonly fields?: readonly string[] | undefined;
  readonly tenantId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly workerId?: string | undefined;
  readonly keyId?: string | undefined;
}

/**
 * Reports stored records that this release cannot read, because a later or rolled back release wrote them. Each process
 * logs a record at most once in five minutes, since sweeps meet it repeatedly.
 */
export class UnreadableRecords {
  readonly #logger: Logger | undefined;
  readonly #now: () => number;
  /** Created at the first report: each session has such an object, and hardly any needs this memory. */
  #reportedAt: Map<string, number> | undefined;

  /** @param logger Without it nothing is reported. */
  constructor(logger: Logger | undefined, now: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  report({ kind, name, ...named }: UnreadableRecord): void {
    if (this.#logger === undefined) return;
    const key = `${kind} ${name}`;
    const now = this.#now();
    this.#reportedAt ??= new Map();
    const times = this.#reportedAt;
    const reportedAt = times.get(key);
    if (reportedAt !== undefined && now - reportedAt < QUIET_MS) return;
    times.delete(key);
    times.set(key, now);
    if (times.size > MOST_REMEMBERED) {
      const [oldest] = times.keys();
      if (oldest !== undefined) times.delete(oldest);
    }
    this.#logger.error({ kind, name, ...named }, 'a stored record cannot be read');
  }

  /**
   * Returns what was read. If the record has another type, reports it and returns `fallback`. Throws all other errors.
   */
  async readOr<T>(read: Promise<T>, fallback: T, record: UnreadableRecord): Promise<T> {
    try {
      return await read;
    } catch (error) {
      if (!isWrongType(error)) throw error;
      this.report(record);
      return fallback;
    }
  }
}

/** Whether Redis refused a command because the record has another type. */
export function isWrongType(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('WRONGTYPE');
}

/** Undefined if the text is not JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
