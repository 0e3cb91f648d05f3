import { WebSocket } from 'ws';
import { deferred } from '../harness/deferred.js';

const NAMESPACE = '/api/events';

export interface EventsSocketOptions {
  readonly port: number;
  readonly apiKey: string;
  /** The local address of the connection. Default: 127.0.0.1. */
  readonly localAddress?: string;
  /** Called with each event's packet. */
  readonly onEvent?: (packet: string) => void;
}

/** A Socket.IO client of the events, by WebSocket. It does nothing by itself, and never reconnects. */
export class EventsSocket {
  /** Resolves with the reason of the close: `SLOW_CLIENT` and the like, else the WebSocket close code. */
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;
  readonly #connected = deferred<void>();
  readonly #acks = new Map<number, (ack: string) => void>();
  #requests = 0;
  #reason: string | undefined;

  /** Resolves when it is connected. Rejects with the reason if it is refused. */
  static async connect(options: EventsSocketOptions): Promise<EventsSocket> {
    const socket = new EventsSocket(options);
    await socket.#connected.promise;
    return socket;
  }

  private constructor({ port, apiKey, localAddress, onEvent }: EventsSocketOptions) {
    const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
    this.#socket = new WebSocket(url, {
      perMessageDeflate: false,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    this.#socket.on('message', (data) => this.#onPacket(String(data), apiKey, onEvent));
    this.#socket.once('unexpected-response', (_, { statusCode }) => {
      this.#reason = `status ${statusCode}`;
      this.#socket.terminate();
    });
    this.#socket.once('error', ({ message }) => {
      this.#reason ??= message;
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once('close', (code, reason) => {
        resolve(this.#reason ?? (reason.length > 0 ? String(reason) : `code ${code}`));
      });
    });
    void this.closed.then((reason) => {
      this.#connected.reject(new Error(reason));
      for (const resolve of this.#acks.values()) resolve('closed');
    });
  }

  /** Resolves with the acknowledgement as text, or with `closed` if it is closed before. */
  subscribe(subscription: unknown): Promise<string> {
    const id = this.#requests;
    this.#requests += 1;
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.resolve('closed');
    const ack = new Promise<string>((resolve) => this.#acks.set(id, resolve));
    this.#socket.send(`42${NAMESPACE},${id}${JSON.stringify(['subscribe', subscription])}`);
    return ack;
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  /** Cuts the connection. */
  cut(): void {
    this.#socket.terminate();
  }

  #onPacket(packet: string, apiKey: string, onEvent: EventsSocketOptions['onEvent']): void {
    const [, kind = '', rest = ''] = /^(4\d|\d)(?:\/api\/events,)?(.*)$/s.exec(packet) ?? [];
    if (kind === '2') this.#socket.send('3');
    else if (kind === '0') this.#socket.send(`40${NAMESPACE},${JSON.stringify({ token: apiKey })}`);
    else if (kind === '40') this.#connected.resolve();
    else if (kind === '43') this.#onAck(rest);
    else if (kind === '44') {
      this.#reason ??= /"code":"(\w+)"/.exec(rest)?.[1] ?? rest;
      this.#socket.terminate();
    } else if (kind === '42') onEvent?.(rest);
  }

  #onAck(packet: string): void {
    const [, id, ack = ''] = /^(\d+)(.*)$/s.exec(packet) ?? [];
    this.#acks.get(Number(id))?.(ack);
    this.#acks.delete(Number(id));
  }
}
