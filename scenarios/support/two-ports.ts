import { createServer } from 'node:net';
import { freePort } from '@wafleet/testkit';

/** The requested port and the next one if both are free, otherwise another such pair. */
export async function twoPorts(wished: number): Promise<readonly [number, number]> {
  for (let first = wished; ; first = await freePort()) {
    if ((await isFree(first)) && (await isFree(first + 1))) return [first, first + 1];
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
