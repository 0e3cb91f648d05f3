import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@wafleet/runtime';
import { stepBetween } from './request-listeners.js';

/**
 * Ends the connection of a request or an upgrade whose listeners throw. Otherwise Node.js would end the process, and
 * with it all other connections. Call it once all listeners are there.
 */
export function containErrors(http: Server, logger: Logger): void {
  const contain = (socket: Duplex, serve: () => void) => {
    try {
      serve();
    } catch (error) {
      logger.error({ err: error }, 'a request could not be served; its connection is ended');
      socket.destroy();
    }
  };
  const local = stepBetween(http, {
    request: (request, response) => contain(request.socket, () => local.request(request, response)),
    upgrade: (request, socket, head) => contain(socket, () => local.upgrade(request, socket, head)),
  });
}
