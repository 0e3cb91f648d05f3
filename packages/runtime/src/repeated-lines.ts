/** At most this many lines of one message about one subject in a window, and of one message about all of them. */
const PER_SUBJECT = 10;
const PER_MESSAGE = 1_000;
const WINDOW_MS = 10_000;
/** Beyond this many subjects in a window, lines of further ones are counted by their message alone. */
const MOST_SUBJECTS = 10_000;

interface Count {
  lines: number;
  leftOut: number;
}

/** What becomes of a line: it is written, with how many like it were left out in the window before, or left out. */
export type Verdict = { readonly write: true; readonly leftOut: number } | { readonly write: false };

/**
 * Limits log lines that repeat. Lines are alike that have the same message and the same subject, such as a session: ten
 * of them are written in ten seconds, and a thousand of one message. Memory is bounded.
 */
export class RepeatedLines {
  readonly #now: () => number;
  #windowEnd = Number.NEGATIVE_INFINITY;
  #counts = new Map<string, Count>();
  #before = new Map<string, Count>();

  /** @param now a clock in ms. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @param subject what the line is about; lines about different subjects are not alike. */
  count(message: string, subject: string): Verdict {
    const now = this.#now();
    if (now >= this.#windowEnd) {
      this.#before = now >= this.#windowEnd + WINDOW_MS ? new Map() : this.#counts;
      this.#counts = new Map();
      this.#windowEnd = now + WINDOW_MS;
    }
    const ofMessage = this.#countOf(message);
    const key = `${message}\n${subject}`;
    const ofSubject =
      this.#counts.size < MOST_SUBJECTS || this.#counts.has(key) ? this.#countOf(key) : ofMessage;
    ofMessage.lines += 1;
    if (ofSubject !== ofMessage) ofSubject.lines += 1;
    if (
      ofSubject.lines > (ofSubject === ofMessage ? PER_MESSAGE : PER_SUBJECT) ||
      ofMessage.lines > PER_MESSAGE
    ) {
      ofSubject.leftOut += 1;
      return { write: false };
    }
    const earlier = this.#before.get(key);
    this.#before.delete(key);
    return { write: true, leftOut: earlier?.leftOut ?? 0 };
  }

  #countOf(key: string): Count {
    let count = this.#counts.get(key);
    if (count === undefined) {
      count = { lines: 0, leftOut: 0 };
      this.#counts.set(key, count);
    }
    return count;
  }
}
