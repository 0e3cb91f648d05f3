import { WafleetError } from '@wafleet/contract';
import type { FastifyInstance } from 'fastify';
import type { ConnectionLimits } from '../limits/connection-limits.js';

/** Counts each request to the routes that are added from here on as a handshake, before its key is checked. */
export function countHandshakes(
  app: FastifyInstance,
  { connectionLimits }: { connectionLimits: ConnectionLimits },
): void {
  app.addHook('onRequest', async ({ raw }) => {
    connectionLimits.begin(connectionLimits.addressOf(raw));
  });
  app.addHook('onError', async ({ raw }, _reply, error) => {
    if (error instanceof WafleetError && error.status === 401) {
      connectionLimits.wrongKey(connectionLimits.addressOf(raw));
    }
  });
}
