import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listenError } from '@wafleet/runtime';

/** The variable with the address for each port. */
const HOST_OF = { PORT: 'HOST', PEER_PORT: 'PEER_HOST' } as const;

/**
 * Listens, and resolves with the port. Fastify's own `listen` would make a second server for `localhost`, one without
 * Socket.IO.
 * @throws {StartError} if the port cannot be bound.
 */
export async function listen(
  server: Server,
  { host, port, variable }: { host: string; port: number; variable: 'PORT' | 'PEER_PORT' },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(listenError(error, { host, port, variable, hostVariable: HOST_OF[variable] }));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}
