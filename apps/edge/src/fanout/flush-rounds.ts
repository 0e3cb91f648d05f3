import type { EncodedEvent, EventNamespace } from './encoded-event.js';

/** What has something to write once the tick's events are all there. */
interface Flushable {
  flush(): void;
}

interface Joined {
  readonly namespace: EventNamespace;
  readonly events: readonly EncodedEvent[];
  readonly bytes: Buffer;
}

/** Different lists with the same last event that are kept to compare with; more are joined for each socket alone. */
const MAX_LISTS = 8;

/**
 * The writers that got events in this tick, flushed one after the other at its end: as a microtask, which runs when
 * all that one chunk of Redis' bytes held has been handed out, so that nothing waits longer than it must. Sockets
 * that are to get the same frames share the bytes of all of them together.
 */
export class FlushRounds {
  #waiting: Flushable[] = [];
  readonly #joined = new Map<EncodedEvent, Joined[]>();

  /** Flushes the writer at the end of this tick. Call it once for each. */
  schedule(writer: Flushable): void {
    if (this.#waiting.push(writer) === 1) queueMicrotask(this.#run);
  }

  /** The events' frames as one piece of bytes. It is shared, and not to be written to. */
  frames(namespace: EventNamespace, events: readonly EncodedEvent[]): Buffer {
    const last = events.at(-1);
    if (last === undefined) return Buffer.alloc(0);
    if (events.length === 1) return last.frame(namespace);

    const lists = this.#joined.get(last);
    const known = lists?.find((list) => list.namespace === namespace && areSame(list.events, events));
    if (known !== undefined) return known.bytes;
    const bytes = Buffer.concat(events.map((event) => event.frame(namespace)));
    if (this.#joined.size === 0) queueMicrotask(this.#forget);
    if (lists === undefined) this.#joined.set(last, [{ namespace, events, bytes }]);
    else if (lists.length < MAX_LISTS) lists.push({ namespace, events, bytes });
    return bytes;
  }

  readonly #run = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) writer.flush();
  };

  /** A writer may also ask when its client has read, which no round follows. */
  readonly #forget = (): void => this.#joined.clear();
}

function areSame(some: readonly EncodedEvent[], others: readonly EncodedEvent[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
