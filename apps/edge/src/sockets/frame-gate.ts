import type { Connection } from '../engine/connection.js';
import { type Frame, takeFrames } from '../engine/packets.js';
import { MAX_ECHOED_BYTES } from './echo-limit.js';

const MAX_HELD_FRAMES = 64;
/** Maximum bytes of all these frames together. The first subscriptions of a client are much smaller. */
const MAX_HELD_BYTES = 128 * 1024;

/**
 * Holds a connection's frames back while a namespace that it asked for is still checking its API key.
 *
 * Socket.IO closes a connection that sends an event to a namespace before the namespace has accepted it. Socket.IO's
 * own clients wait. Others need not, since the protocol lets them send CONNECT and an event back to back. So from
 * CONNECT on all frames wait, in order, until the namespace has accepted or refused the socket. Frames for a namespace
 * that refused are dropped. A connection that sends more than 64 frames or 128 KiB meanwhile is closed.
 *
 * Socket.IO's answer to a CONNECT for an unknown namespace repeats its name, which may be a whole damaged frame,
 * including the API key. So a connection that asks for an unknown namespace with a long name is closed.
 * Frame format: Socket.IO protocol v5, `<type>[<attachments>-][/<namespace>,][<ack id>][<payload>]`.
 */
export class FrameGate {
  readonly #connection: Connection;
  readonly #served: ReadonlySet<string>;
  readonly #forward: (frame: Frame) => void;
  #awaited: string | undefined;
  #held: Frame[] = [];
  #heldBytes = 0;

  /** Puts itself between the connection and the current listeners of its frames. */
  constructor(connection: Connection, served: ReadonlySet<string>) {
    this.#connection = connection;
    this.#served = served;
    this.#forward = takeFrames(connection, (frame) => this.#receive(frame));
  }

  /** Stops passing frames on. Call it when the connection has ended. */
  close(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Passes on the frames that wait for a namespace, which has accepted the socket. */
  accept(namespace: string): void {
    this.#settle(namespace, (held) => held);
  }

  /** Drops the frames that wait for a namespace, which has refused the socket. */
  refuse(namespace: string): void {
    this.#settle(namespace, (held) => withoutNamespace(held, namespace));
  }

  #receive(frame: Frame): void {
    if (this.#awaited !== undefined) {
      this.#hold(frame);
      return;
    }
    const namespace = isConnect(frame) ? namespaceOf(frame) : undefined;
    if (namespace !== undefined && this.#served.has(namespace)) this.#awaited = namespace;
    else if (namespace !== undefined && Buffer.byteLength(namespace) > MAX_ECHOED_BYTES) {
      this.close();
      this.#connection.close();
      return;
    }
    this.#forward(frame);
  }

  #hold(frame: Frame): void {
    this.#heldBytes += frame.length;
    if (this.#held.length < MAX_HELD_FRAMES && this.#heldBytes <= MAX_HELD_BYTES) {
      this.#held.push(frame);
      return;
    }
    this.close();
    this.#connection.close();
  }

  #settle(namespace: string, select: (held: readonly Frame[]) => readonly Frame[]): void {
    if (this.#awaited !== namespace) return;
    this.#awaited = undefined;
    const frames = select(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    for (const frame of frames) this.#receive(frame);
  }
}

function isConnect(frame: Frame): boolean {
  return typeof frame === 'string' && frame.startsWith('0');
}

/** The namespace that a frame names; undefined for the bytes that follow a frame with attachments. */
function namespaceOf(frame: Frame): string | undefined {
  if (typeof frame !== 'string') return undefined;
  return /^[0-9](?:[0-9]+-)?(\/[^,]*)?/.exec(frame)?.[1] ?? '/';
}

function withoutNamespace(frames: readonly Frame[], namespace: string): readonly Frame[] {
  let current: string | undefined;
  return frames.filter((frame) => {
    if (isConnect(frame)) return true;
    current = namespaceOf(frame) ?? current;
    return current !== namespace;
  });
}
