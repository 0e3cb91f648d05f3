import type { EncodedEvent } from './encoded-event.js';
import type { EventReceiver } from './events-adapter.js';

type Receiver = Pick<EventReceiver, 'deliver'>;

/** Clients that are no sockets, by the rooms whose events they take. Rooms are named as Socket.IO's: see eventRoom. */
export class RoomIndex {
  readonly #rooms = new Map<string, Set<Receiver>>();

  /** How many rooms have somebody in them. */
  get size(): number {
    return this.#rooms.size;
  }

  join(rooms: readonly string[], receiver: Receiver): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members === undefined) this.#rooms.set(room, new Set([receiver]));
      else members.add(receiver);
    }
  }

  leave(rooms: readonly string[], receiver: Receiver): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room);
      if (members?.delete(receiver) && members.size === 0) this.#rooms.delete(room);
    }
  }

  /** Gives the event to each receiver of the rooms once. */
  deliver([one, other]: readonly [string, string], event: EncodedEvent): void {
    const first = this.#rooms.get(one);
    const second = this.#rooms.get(other);
    if (first !== undefined) for (const receiver of first) receiver.deliver(event);
    if (second === undefined) return;
    for (const receiver of second) if (!first?.has(receiver)) receiver.deliver(event);
  }
}
