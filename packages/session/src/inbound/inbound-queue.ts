import type { BinaryNode, WASocket } from '@whiskeysockets/baileys';

const MESSAGE = 'CB:message';

/** Callbacks around each message. */
export interface MessageHooks {
  /** Whether a message is handled without Baileys. */
  readonly isDone: (stanza: BinaryNode) => Promise<boolean>;
  readonly before: (stanza: BinaryNode) => void;
  readonly after: (stanza: BinaryNode) => void;
}

/**
 * Hands a connection's messages to Baileys one after the other. Each begins when the one before is decrypted, stored,
 * acknowledged and emitted, so their events are in the order in which WhatsApp sent them.
 *
 * Without this queue, Baileys (Socket/messages-recv.js) puts the messages that waited for the device into a queue of
 * their own, and handles the messages that arrive meanwhile at once: newer messages overtake older ones after every
 * login.
 *
 * A message that has not begun when the connection or the queue closes is dropped. It is not acknowledged, so WhatsApp
 * sends it again at the next login.
 */
export class InboundQueue {
  readonly #ws: WASocket['ws'];
  readonly #handlers: readonly ((stanza: BinaryNode) => unknown)[];
  readonly #hooks: MessageHooks;
  #waiting: BinaryNode[];
  #running: Promise<void> | undefined;
  #isClosed = false;

  /**
   * Replaces Baileys as the listener for messages.
   * @param options.leftOver messages that come before all others. They begin with `start`, or with the first new
   * message.
   */
  constructor(ws: WASocket['ws'], options: { leftOver: readonly BinaryNode[]; hooks: MessageHooks }) {
    this.#ws = ws;
    this.#hooks = options.hooks;
    this.#waiting = [...options.leftOver];
    this.#handlers = ws.listeners(MESSAGE).map((listener) => (stanza) => listener.call(ws, stanza));
    ws.removeAllListeners(MESSAGE);
    ws.on(MESSAGE, (stanza: BinaryNode) => {
      if (this.#isClosed) return;
      this.#waiting.push(stanza);
      this.start();
    });
  }

  /** Begins with the waiting messages. */
  start(): void {
    if (this.#waiting.length > 0) this.#running ??= this.#run();
  }

  /** Begins no further message. Resolves when the current one is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#waiting = [];
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // Without a connection a message could be decrypted, which works only once, and then not be acknowledged.
      if (!this.#ws.isOpen || (await this.#hooks.isDone(next)) || !this.#ws.isOpen) continue;
      this.#hooks.before(next);
      await this.#handle(next);
      this.#hooks.after(next);
    }
    this.#running = undefined;
  }

  async #handle(stanza: BinaryNode): Promise<void> {
    const { offline } = stanza.attrs;
    // The `offline` attribute decides, when the handler is called, whether the message goes to Baileys' own queue, and
    // much later whether its event is of the type `append`.
    delete stanza.attrs.offline;
    const handled = this.#handlers.map((handle) => handle(stanza));
    if (offline !== undefined) stanza.attrs.offline = offline;
    await Promise.allSettled(handled);
  }
}
