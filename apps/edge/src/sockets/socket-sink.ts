import { SUBSCRIPTION_RESET_EVENT } from '@wafleet/contract';
import type { EncodedEvent } from '../fanout/encoded-event.js';
import type { SocketWriter } from '../fanout/socket-writer.js';
import type { EventSink } from '../streams/event-sink.js';
import type { SubscriptionSet } from '../streams/subscription-set.js';
import { describeLoss, type LostRange } from '../streams/tenant-stream.js';
import type { EventSocket } from './event-socket.js';

/** A Socket.IO socket. It gets what is published to the rooms that it is in. */
export class SocketSink implements EventSink {
  readonly #socket: EventSocket;
  readonly #writer: SocketWriter;

  constructor(socket: EventSocket, writer: SocketWriter) {
    this.#socket = socket;
    this.#writer = writer;
  }

  get isOpen(): boolean {
    return this.#socket.connected;
  }

  write(event: EncodedEvent): void {
    this.#writer.write(event);
  }

  drained(bytes: number): Promise<void> {
    return this.#writer.drained(bytes);
  }

  tellReset(range: LostRange): void {
    this.#socket.emit(SUBSCRIPTION_RESET_EVENT, describeLoss(range));
  }

  goLive(added: SubscriptionSet): void {
    void this.#socket.join(added.rooms(this.#socket.data.identity));
  }
}
