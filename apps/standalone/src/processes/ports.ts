import { createServer } from 'node:net';
import { StartError } from '@wafleet/runtime';

/**
 * Checks, before anything is started, that the edges' ports are free.
 * @throws {StartError} one line that says what to do.
 */
export async function requireFreePorts(host: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const problem = await whyNotListen(host, port);
    if (problem === undefined) continue;
    const advice =
      problem === 'EADDRINUSE'
        ? `is in use. Stop what uses it, or choose other ports: PORT=${otherFirstPort(ports)} npm start`
        : `cannot be used (${problem}). Set HOST to an address of this machine, and PORT to a port that this user may listen on.`;
    throw new StartError(`Port ${port} of ${host} ${advice}`);
  }
}

function otherFirstPort([first = 0]: readonly number[]): number {
  return first < 60_000 ? first + 1_000 : 3_000;
}

function whyNotListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) =>
      resolve('code' in error && typeof error.code === 'string' ? error.code : error.message),
    );
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}
