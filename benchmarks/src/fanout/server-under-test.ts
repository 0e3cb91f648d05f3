import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { AppProcess, freePort } from '@wafleet/testkit';
import type { Cores } from '../harness/cores.js';
import type { Audience, ContenderName } from './protocol.js';
import type { Protocol } from './raw-client.js';

const EDGE = fileURLToPath(new URL('../../../apps/edge/dist/main.js', import.meta.url));
const program = (name: string) => fileURLToPath(new URL(`programs/${name}.js`, import.meta.url));

interface Kind {
  readonly entry: string;
  readonly protocol: Protocol;
  readonly environment: (port: number, redisUrl: string) => Readonly<Record<string, string>>;
  readonly arguments: (port: number, redisUrl: string) => readonly string[];
  readonly readyPath: string;
  /** The credentials of a client of an audience. */
  readonly auth: (audience: Audience) => Record<string, string>;
}

const ownProgram = {
  environment: () => ({}),
  arguments: (port: number, redisUrl: string) => [redisUrl, String(port)],
  readyPath: '/',
  auth: ({ tenantId }: Audience) => ({ tenantId }),
};

const KINDS: Readonly<Record<ContenderName, Kind>> = {
  product: {
    entry: EDGE,
    protocol: 'socket.io',
    environment: (port, redisUrl) => ({
      REDIS_URL: redisUrl,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_TOKEN: randomBytes(16).toString('hex'),
      LOG_LEVEL: 'warn',
      // All clients belong to one tenant and connect from this machine.
      MAX_SOCKETS_PER_KEY: '1000000',
      MAX_CONNECTIONS_PER_ADDRESS: '1000000',
      HANDSHAKES_PER_KEY: '100000',
      HANDSHAKES_PER_ADDRESS: '100000',
    }),
    arguments: () => [],
    readyPath: '/readyz',
    auth: ({ apiKey }) => ({ token: apiKey }),
  },
  floor: { ...ownProgram, entry: program('floor-server'), protocol: 'plain' },
  peer: { ...ownProgram, entry: program('peer-server'), protocol: 'socket.io' },
};

/** A contender's server, in a process on the measured core. */
export interface ServerUnderTest {
  readonly name: ContenderName;
  readonly port: number;
  readonly protocol: Protocol;
  readonly process: AppProcess;
  readonly auth: Kind['auth'];
}

/** @param options.nodeOptions additional options of Node. */
export async function startServer(
  name: ContenderName,
  options: { redisUrl: string; cores: Cores; nodeOptions?: string },
): Promise<ServerUnderTest> {
  const { redisUrl, cores, nodeOptions } = options;
  const { entry, protocol, environment, arguments: args, readyPath, auth } = KINDS[name];
  const port = await freePort();
  const process = await AppProcess.start({
    name,
    entry,
    launcher: cores.launcher,
    arguments: args(port, redisUrl),
    environment: {
      ...environment(port, redisUrl),
      ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
    },
    readyUrl: `http://127.0.0.1:${port}${readyPath}`,
  });
  return { name, port, protocol, process, auth };
}
