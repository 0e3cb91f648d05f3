import type { WASocket } from '@whiskeysockets/baileys';

const MESSAGE = 'message';
/** How often a valve that holds frames back looks whether they may pass. */
const LOOK_MS = 25;

type Callback = (error?: Error) => void;

/** The part of the WebSocket library's client that frames leave by. */
interface FrameSender {
  send(frame: unknown, callback?: Callback): void;
}

function isFrameSender(value: unknown): value is FrameSender {
  return typeof value === 'object' && value !== null && 'send' in value && typeof value.send === 'function';
}

/**
 * Decides for each frame of one connection, in both directions, whether it may pass.
 *
 * Once the valve is shut, nothing passes. Baileys acknowledges a message that it could not store with a NACK
 * (Socket/messages-recv.js, `handleMessage`), and WhatsApp drops the message then. A socket that cannot store must
 * therefore say nothing more, whatever Baileys still has in hand.
 *
 * While `mayPass` returns false, frames are kept in their order, and pass once it returns true. This is for a process
 * that was frozen: the first thing that it does may be to answer a message of a session that another worker owns by
 * now. `mayPass` is called for each frame, so it must be cheap and synchronous.
 */
export class SocketValve {
  readonly #mayPass: () => boolean;
  readonly #deliver: (frame: unknown) => void;
  readonly #send: (frame: unknown, callback?: Callback) => void;
  readonly #incoming: unknown[] = [];
  readonly #outgoing: [frame: unknown, callback: Callback | undefined][] = [];
  #looking: NodeJS.Timeout | undefined;
  #isShut = false;
  #holds = 0;

  /**
   * Must be called in the tick in which Baileys made the socket.
   * @throws {Error} if this release of Baileys keeps its WebSocket elsewhere.
   */
  constructor(ws: WASocket['ws'], mayPass: () => boolean) {
    this.#mayPass = mayPass;
    const sender: unknown = Reflect.get(ws, 'socket');
    const listeners = ws.listeners(MESSAGE);
    if (!isFrameSender(sender) || listeners.length === 0) {
      throw new Error('Baileys does not send and receive in the way that this release is known for');
    }
    this.#send = sender.send.bind(sender);
    sender.send = (frame, callback) => this.#pass(frame, callback);
    this.#deliver = (frame) => {
      for (const listener of listeners) listener.call(ws, frame);
    };
    ws.removeAllListeners(MESSAGE);
    ws.on(MESSAGE, (frame: unknown) => this.#receive(frame));
  }

  /** Keeps what is sent from now on until the promise, which must not reject, has settled. */
  holdSends(until: Promise<void>): void {
    this.#holds += 1;
    void until.then(() => {
      this.#holds -= 1;
    });
  }

  /** Lets nothing pass from now on, and drops what was kept. Idempotent. */
  shut(): void {
    this.#isShut = true;
    clearInterval(this.#looking);
    this.#incoming.length = 0;
    for (const [, callback] of this.#outgoing.splice(0)) this.#refuse(callback);
  }

  #receive(frame: unknown): void {
    if (this.#isShut) return;
    if (this.#looking === undefined && this.#mayPass()) {
      this.#deliver(frame);
      return;
    }
    this.#incoming.push(frame);
    this.#look();
  }

  #pass(frame: unknown, callback: Callback | undefined): void {
    if (this.#isShut) {
      this.#refuse(callback);
      return;
    }
    if (this.#looking === undefined && this.#holds === 0 && this.#mayPass()) {
      this.#send(frame, callback);
      return;
    }
    this.#outgoing.push([frame, callback]);
    this.#look();
  }

  #refuse(callback: Callback | undefined): void {
    if (callback !== undefined) process.nextTick(callback, new Error('the connection is shut'));
  }

  #look(): void {
    this.#looking ??= setInterval(() => {
      if (this.#holds === 0 && this.#mayPass()) this.#release();
    }, LOOK_MS);
  }

  #release(): void {
    for (const [frame, callback] of this.#outgoing.splice(0)) this.#send(frame, callback);
    // Reading a frame may shut the valve, which empties the line.
    for (let next = this.#incoming.shift(); next !== undefined; next = this.#incoming.shift()) {
      this.#deliver(next);
    }
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}
