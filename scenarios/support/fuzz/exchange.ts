import { connect, type Socket } from 'node:net';

/** How a client leaves. `hold` never closes the connection, whatever the edge does. */
export const ENDINGS = ['answer', 'answer', 'answer', 'end', 'reset', 'reset', 'hold'] as const;

export interface Exchange {
  readonly port: number;
  readonly bytes: Buffer;
  /** The client pauses or leaves after this number of bytes; after all of them for `answer`. */
  readonly cutAt: number;
  /** How long the client then waits before it leaves, ms. */
  readonly pauseMs: number;
  readonly ending: (typeof ENDINGS)[number];
}

/** A connection that its client does not close. */
export interface Held {
  readonly socket: Socket;
  /** What has come so far. */
  answer(): string;
}

/** How long a client waits for an answer to a request that may be incomplete, ms. */
const PATIENCE_MS = 1_500;

/**
 * Sends bytes over a new connection and ends it as `ending` says. Resolves to everything that came back. Never rejects.
 * @param hold receives the connections that are not closed.
 */
export function exchange(input: Exchange, hold: (held: Held) => void): Promise<Buffer> {
  const { port, bytes, cutAt, pauseMs, ending } = input;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: ending === 'hold' });
    const done = () => resolve(Buffer.concat(chunks));
    // Node.js does not emit `close` if a reset arrives while a connection is being shut down.
    const givingUp = setTimeout(done, pauseMs + 2 * PATIENCE_MS);
    socket.once('close', () => clearTimeout(givingUp));
    socket.on('error', done);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('close', done);
    if (ending === 'answer') {
      socket.write(bytes.subarray(0, cutAt));
      socket.write(bytes.subarray(cutAt));
      const leaving = setTimeout(() => socket.resetAndDestroy(), PATIENCE_MS);
      socket.once('close', () => clearTimeout(leaving));
      // Most answers keep the connection open, so this waits for the first one and then a moment for more.
      socket.once('data', () => setTimeout(() => socket.end(), pauseMs));
      return;
    }
    socket.write(bytes.subarray(0, cutAt));
    setTimeout(() => {
      if (ending === 'reset') socket.resetAndDestroy();
      else if (ending === 'end') {
        socket.end();
        setTimeout(() => socket.destroy(), PATIENCE_MS);
      } else {
        hold({ socket, answer: () => Buffer.concat(chunks).toString('latin1') });
        done();
      }
    }, pauseMs);
  });
}

/** The status codes of the HTTP answers in what came back. */
export function statusesIn(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
