import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Where the project keeps what it makes on this machine. */
const data = join(root, '.wafleet');

/** The built programs of the cluster, and the folders that a start uses. */
export const project = {
  edge: join(root, 'apps/edge/dist/main.js'),
  worker: join(root, 'apps/worker/dist/main.js'),
  placer: join(root, 'apps/placer/dist/main.js'),
  simulator: join(root, 'packages/simulator/dist/main.js'),
  /** A Redis server that was downloaded once. */
  redisCache: join(data, 'redis'),
  /** What the demo keeps where it uses a Redis of the user's. */
  demoData: join(data, 'demo'),
  liveData: join(data, 'live'),
} as const;
