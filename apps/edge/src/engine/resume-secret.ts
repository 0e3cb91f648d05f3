import type { Socket } from 'socket.io';
import type { Internal } from './internal.js';

const SECRET = 'a-secret';

/**
 * The id that Socket.IO sends with its answer to CONNECT, and that its clients send back when they connect again.
 *
 * Why: it carries the secret with which a client resumes at any edge. Socket.IO's own connection state recovery, which
 * the id is for, is off: it adds an argument to each event.
 * Removal: Socket.IO lets a server add to its answer to CONNECT.
 */
export const PID: Internal = {
  library: 'socket.io',
  name: 'Socket.pid in the answer to CONNECT',
  isThere: async (probe) => {
    probe.io.use((socket, next) => {
      giveSecret(socket, SECRET);
      next();
    });
    await probe.join();
    return probe.client.received.includes(`"pid":"${SECRET}"`);
  },
};

/** Makes Socket.IO send a secret with its answer to CONNECT. Call it before the namespace accepts the socket. */
export function giveSecret(socket: Pick<Socket, 'id'>, secret: string): void {
  Reflect.set(socket, 'pid', secret);
}
