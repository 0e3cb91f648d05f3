import type { BaileysEventMap, BinaryNode, WASocket } from '@whiskeysockets/baileys';

/**
 * WhatsApp's answer to a message: `error` is the code of a refusal, `serverId` the number that a channel has given the
 * message. Undefined if no answer came.
 */
export type MessageAck =
  | { readonly error: string | undefined; readonly serverId: string | undefined }
  | undefined;

/** Waits for WhatsApp to acknowledge the message with this id. Create it before the message is sent. */
export class MessageAckWaiter {
  /** Resolves with the answer, or with undefined once the connection is closed or `stop` is called. Never rejects. */
  readonly ack: Promise<MessageAck>;
  #settle: (ack: MessageAck) => void = () => {};

  constructor(socket: WASocket, messageId: string) {
    const answers = `TAG:${messageId}`;
    const onAnswer = ({ tag, attrs }: BinaryNode) => {
      // Receipts have the message's id as well.
      if (tag !== 'ack' || attrs.class !== 'message') return;
      this.#settle({ error: attrs.error, serverId: attrs.server_id });
    };
    const onUpdate = ({ connection }: BaileysEventMap['connection.update']) => {
      if (connection === 'close') this.#settle(undefined);
    };
    this.ack = new Promise((resolve) => {
      this.#settle = (ack) => {
        socket.ws.off(answers, onAnswer);
        socket.ev.off('connection.update', onUpdate);
        resolve(ack);
      };
    });
    socket.ws.on(answers, onAnswer);
    socket.ev.on('connection.update', onUpdate);
    if (!socket.ws.isOpen) this.#settle(undefined);
  }

  /** Stops waiting. */
  stop(): void {
    this.#settle(undefined);
  }
}
