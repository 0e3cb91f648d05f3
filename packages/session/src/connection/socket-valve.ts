import type { WASocket } from '@whiskeysockets/baileys';

const MESSAGE = 'message';
/** How often a valve that holds frames back checks whether they may pass. */
const LOOK_MS = 25;
/** How many bytes of frames a valve may hold back, for both directions together. */
export const MAX_HELD_BYTES = 1024 ** 2;

type Callback = (error?: Error) => void;

/** The part of the WebSocket library's client that sends frames. */
interface FrameSender {
  send(frame: unknown, callback?: Callback): void;
}

function isFrameSender(value: unknown): value is FrameSender {
  return typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function';
}

function sizeOf(frame: unknown): number {
  if (typeof frame === 'string') return Buffer.byteLength(frame);
  return frame instanceof Uint8Array || frame instanceof ArrayBuffer ? frame.byteLength : 0;
}

interface ValveReactions {
  readonly mayPass: () => boolean;
  readonly onOverflow: () => void;
  readonly onUnreadable: (error: unknown) => void;
}

/**
 * Decides for each frame of one connection, in both directions, whether it may pass.
 *
 * Once the valve is shut, nothing passes. Baileys answers a message that it could not store with a NACK
 * (Socket/messages-recv.js, `handleMessage`), and WhatsApp then drops the message. A socket that cannot store must
 * therefore send nothing more, whatever Baileys still wants to send.
 *
 * While `mayPass` returns false, frames are kept in order. They pass once it returns true. This is for a process that
 * was frozen: its first action may be to answer a message of a session that another worker owns by now. `mayPass` is
 * called for each frame, so it must be cheap and synchronous.
 *
 * `holdSends` holds outgoing frames only: incoming frames are read meanwhile.
 *
 * A valve holds back at most MAX_HELD_BYTES. With more it shuts and calls `onOverflow`, which must end the connection:
 * WhatsApp then delivers again what was not acknowledged.
 */
export class SocketValve {
  readonly #mayPass: () => boolean;
  readonly #onOverflow: () => void;
  readonly #deliver: (frame: unknown) => void;
  readonly #send: (frame: unknown, callback?: Callback) => void;
  readonly #incoming: unknown[] = [];
  readonly #outgoing: [frame: unknown, callback: Callback | undefined][] = [];
  #looking: NodeJS.Timeout | undefined;
  #isShut = false;
  #holds = 0;
  #heldBytes = 0;

  /**
   * Must be called in the tick in which Baileys made the socket.
   * @param reactions.onUnreadable gets the error of a frame that Baileys cannot decrypt or decode. It drops the frame.
   * @throws {Error} if this release of Baileys keeps its WebSocket elsewhere.
   */
  constructor(ws: WASocket['ws'], { mayPass, onOverflow, onUnreadable }: ValveReactions) {
    this.#mayPass = mayPass;
    this.#onOverflow = onOverflow;
    const sender: unknown = Reflect.get(ws, 'socket');
    const listeners = ws.listeners(MESSAGE);
    if (!isFrameSender(sender) || listeners.length === 0) {
      throw new Error('this release of Baileys does not send and receive as expected');
    }
    this.#send = sender.send.bind(sender);
    sender.send = (frame, callback) => this.#pass(frame, callback);
    this.#deliver = (frame) => {
      for (const listener of listeners) Promise.resolve(listener.call(ws, frame)).catch(onUnreadable);
    };
    ws.removeAllListeners(MESSAGE);
    ws.on(MESSAGE, (frame: unknown) => this.#receive(frame));
  }

  /** Holds back outgoing frames until the promise has settled. The promise must not reject. */
  holdSends(until: Promise<void>): void {
    this.#holds += 1;
    void until.then(() => {
      this.#holds -= 1;
    });
  }

  /** Lets nothing pass from now on, and drops the held frames. Idempotent. */
  shut(): void {
    this.#isShut = true;
    clearInterval(this.#looking);
    this.#incoming.length = 0;
    for (const [, callback] of this.#outgoing.splice(0)) this.#refuse(callback);
  }

  #receive(frame: unknown): void {
    if (this.#isShut) return;
    if (this.#incoming.length === 0 && this.#mayPass()) {
      this.#deliver(frame);
      return;
    }
    this.#incoming.push(frame);
    this.#hold(frame);
  }

  #pass(frame: unknown, callback: Callback | undefined): void {
    if (this.#isShut) {
      this.#refuse(callback);
      return;
    }
    if (this.#outgoing.length === 0 && this.#holds === 0 && this.#mayPass()) {
      this.#send(frame, callback);
      return;
    }
    this.#outgoing.push([frame, callback]);
    this.#hold(frame);
  }

  #refuse(callback: Callback | undefined): void {
    if (callback !== undefined) process.nextTick(callback, new Error('the connection is shut'));
  }

  /** A frame was put into one of the queues. */
  #hold(frame: unknown): void {
    this.#heldBytes += sizeOf(frame);
    if (this.#heldBytes > MAX_HELD_BYTES) {
      this.shut();
      this.#onOverflow();
      return;
    }
    this.#looking ??= setInterval(() => this.#release(), LOOK_MS);
  }

  #release(): void {
    if (!this.#mayPass()) return;
    if (this.#holds === 0) {
      for (const [frame, callback] of this.#outgoing.splice(0)) {
        this.#heldBytes -= sizeOf(frame);
        this.#send(frame, callback);
      }
    }
    // Reading a frame may shut the valve, which empties the queue.
    for (let next = this.#incoming.shift(); next !== undefined; next = this.#incoming.shift()) {
      this.#heldBytes -= sizeOf(next);
      this.#deliver(next);
    }
    if (this.#outgoing.length > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
