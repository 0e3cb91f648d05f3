import type { BinaryNode, WASocket } from '@whiskeysockets/baileys';

const MESSAGE = 'CB:message';

/**
 * Baileys' handler for messages, taken away from the socket.
 *
 * On its own, Baileys (Socket/messages-recv.js) puts the messages that waited for the device into a queue of their own,
 * and handles the messages that arrive meanwhile at once: newer messages overtake older ones after every login.
 *
 * Removal condition: Baileys handles all messages of a socket in the order in which they came (docs/upstream.md, 32).
 */
export class BaileysMessageHandler {
  readonly #handlers: readonly ((stanza: BinaryNode) => unknown)[];

  /** @param onMessage takes Baileys' place as the listener for messages. */
  constructor(ws: WASocket['ws'], onMessage: (stanza: BinaryNode) => void) {
    this.#handlers = ws.listeners(MESSAGE).map((listener) => (stanza) => listener.call(ws, stanza));
    ws.removeAllListeners(MESSAGE);
    ws.on(MESSAGE, onMessage);
  }

  /**
   * Lets Baileys decrypt a message, store its keys, acknowledge it and emit its events. Resolves when all of that is
   * done or has failed. Never rejects.
   */
  async handle(stanza: BinaryNode): Promise<void> {
    const { offline } = stanza.attrs;
    // The `offline` attribute decides, when the handler is called, whether the message goes to Baileys' own queue, and
    // much later whether its event is of the type `append`.
    delete stanza.attrs.offline;
    const handled = this.#handlers.map((handle) => handle(stanza));
    if (offline !== undefined) stanza.attrs.offline = offline;
    await Promise.allSettled(handled);
  }
}
