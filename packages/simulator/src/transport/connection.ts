import { type BinaryNode, binaryNodeToString, decodeBinaryNode, type proto } from '@whiskeysockets/baileys';
import type { WebSocket } from 'ws';
import type { SimulatorLogger } from '../silent-logger.js';
import type { ServerIdentity } from './certificate.js';
import { type CloseCause, farewell } from './close-cause.js';
import { encodeStanza } from './encode-stanza.js';
import { FrameReader, frame } from './frames.js';
import { type NoiseChannel, NoiseResponder } from './noise.js';

/** The server's handlers for a connection. Called one at a time, in the order of the client's frames. */
export interface ConnectionHandler {
  /** The handshake is done; `payload` says whether the client registers or logs in. */
  opened(connection: Connection, noiseKey: Buffer, payload: proto.ClientPayload): Promise<void> | void;
  stanza(connection: Connection, stanza: BinaryNode): Promise<void> | void;
  closed(connection: Connection): void;
}

/** How long a client may take to close after the server's last stanza, before the socket is cut. */
const closeGraceMs = 2000;

/** One client's WebSocket: the Noise handshake, then encrypted stanzas both ways. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #handler: ConnectionHandler;
  readonly #logger: SimulatorLogger;
  readonly #isSilent: () => boolean;
  readonly #reader = new FrameReader();
  #responder: NoiseResponder | undefined;
  #helloSent = false;
  #channel: NoiseChannel | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  /** While `isSilent` returns true, all stanzas from and to the client are dropped. */
  constructor(
    socket: WebSocket,
    identity: ServerIdentity,
    handler: ConnectionHandler,
    logger: SimulatorLogger,
    isSilent: () => boolean,
  ) {
    this.#socket = socket;
    this.#handler = handler;
    this.#logger = logger;
    this.#isSilent = isSilent;
    this.#responder = new NoiseResponder(identity.staticKey, identity.certificate);
    socket.on('message', (data) => this.#receive(toBuffer(data)));
    socket.on('error', (error) => logger.debug({ err: error }, 'socket error'));
    socket.on('close', () => {
      this.#closed = true;
      this.#handler.closed(this);
    });
  }

  /** Sends one stanza. Drops it if the connection is closed or not yet open. */
  send(stanza: BinaryNode): void {
    if (this.#closed || !this.#channel || this.#isSilent()) return;
    if (this.#logger.isLevelEnabled('trace')) this.#logger.trace({ xml: binaryNodeToString(stanza) }, 'sent');
    this.#socket.send(frame(this.#channel.encrypt(encodeStanza(stanza))));
  }

  /** Sends a last stanza and closes. Nothing is sent afterwards. */
  close(cause: CloseCause): void {
    if (this.#closed) return;
    if (cause === 'tcp') {
      this.#closed = true;
      this.#socket.terminate();
      return;
    }
    const stanza = farewell(cause);
    if (stanza) this.send(stanza);
    this.#closed = true;
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
  }

  #receive(data: Buffer): void {
    if (this.#closed) return;
    try {
      for (const message of this.#reader.push(data)) this.#frame(message);
    } catch (error) {
      this.#logger.warn({ err: error }, 'client violates the protocol');
      this.close('tcp');
    }
  }

  #frame(message: Buffer): void {
    if (this.#channel) {
      const plaintext = this.#channel.decrypt(message);
      if (!this.#isSilent()) this.#enqueue(() => this.#stanza(plaintext));
      return;
    }
    if (this.#isSilent()) return;
    if (!this.#responder) throw new Error('frame before the end of the handshake');
    if (!this.#helloSent) {
      this.#helloSent = true;
      this.#socket.send(frame(this.#responder.hello(message)));
      return;
    }
    const { noiseKey, payload, channel } = this.#responder.finish(message);
    this.#responder = undefined;
    this.#channel = channel;
    this.#enqueue(async () => {
      try {
        await this.#handler.opened(this, noiseKey, payload);
      } catch (error) {
        this.close('tcp');
        throw error;
      }
    });
  }

  async #stanza(plaintext: Buffer): Promise<void> {
    const stanza = await decodeBinaryNode(plaintext);
    if (this.#logger.isLevelEnabled('trace'))
      this.#logger.trace({ xml: binaryNodeToString(stanza) }, 'received');
    await this.#handler.stanza(this, stanza);
  }

  #enqueue(task: () => Promise<void> | void): void {
    this.#work = this.#work.then(task).catch((error: unknown) => {
      this.#logger.error({ err: error }, 'a stanza could not be handled');
    });
  }
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
