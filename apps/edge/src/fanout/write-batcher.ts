import type { EncodedEvent, EventNamespace } from './encoded-event.js';

/** Something to flush once all events of the tick are there. */
interface Flushable {
  flush(): void;
}

interface Joined {
  readonly namespace: EventNamespace;
  readonly events: readonly EncodedEvent[];
  readonly bytes: Buffer;
}

/**
 * A round with this many writers first waits for what else Redis has sent by now. There are many writers because each
 * event goes to many clients, whose writes then hold several events.
 */
const MANY_WRITERS = 200;
/**
 * How many different lists with the same last event are kept for comparison. Further lists are joined for each socket
 * alone.
 */
const MAX_LISTS = 8;

/**
 * The writers that got events in this tick, flushed one after the other at its end. That is a microtask, which runs
 * when all events of one chunk of Redis' bytes have been handed out, so nothing waits longer than it must. If there are
 * many writers, chunks that are there already come first. After such a round, the next one waits as long as the round
 * took. So rounds take at most half of an edge's time, and the more events come, the more events each write has.
 * Sockets that are to get the same frames share the bytes of all of them together.
 */
export class WriteBatcher {
  #waiting: Flushable[] = [];
  /** Earliest start of the next round with many writers, by performance.now(). */
  #restsUntil = 0;
  readonly #joined = new Map<EncodedEvent, Joined[]>();

  /** Flushes the writer at the end of this tick. Call it once per writer. */
  schedule(writer: Flushable): void {
    if (this.#waiting.push(writer) === 1) queueMicrotask(this.#begin);
  }

  /** The frames of the events as one buffer. It is shared; do not write to it. */
  frames(namespace: EventNamespace, events: readonly EncodedEvent[]): Buffer {
    const last = events.at(-1);
    if (last === undefined) return Buffer.alloc(0);
    if (events.length === 1) return last.frame(namespace);

    const lists = this.#joined.get(last);
    const known = lists?.find((list) => list.namespace === namespace && areSame(list.events, events));
    if (known !== undefined) return known.bytes;
    const bytes = join(namespace, events);
    if (this.#joined.size === 0) queueMicrotask(this.#forget);
    if (lists === undefined) this.#joined.set(last, [{ namespace, events, bytes }]);
    else if (lists.length < MAX_LISTS) lists.push({ namespace, events, bytes });
    return bytes;
  }

  readonly #begin = (): void => {
    if (this.#waiting.length < MANY_WRITERS) {
      this.#run();
      return;
    }
    const restMs = this.#restsUntil - performance.now();
    if (restMs > 0) setTimeout(this.#runMany, restMs);
    else setImmediate(this.#runMany);
  };

  readonly #runMany = (): void => {
    const begun = performance.now();
    this.#run();
    const ended = performance.now();
    this.#restsUntil = ended + (ended - begun);
  };

  #run(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) writer.flush();
  }

  /** A writer may also ask for frames when its client has read, and no round follows that. */
  readonly #forget = (): void => this.#joined.clear();
}

/** Makes no frame for each event besides: what is read for one client is written once. */
function join(namespace: EventNamespace, events: readonly EncodedEvent[]): Buffer {
  const bytes = Buffer.allocUnsafe(events.reduce((sum, event) => sum + event.frameBytes(namespace), 0));
  let offset = 0;
  for (const event of events) offset = event.copyFrame(namespace, bytes, offset);
  return bytes;
}

function areSame(some: readonly EncodedEvent[], others: readonly EncodedEvent[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
