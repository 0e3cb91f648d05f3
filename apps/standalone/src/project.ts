import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The folder for files that the project creates on this machine. */
const data = join(root, '.wafleet');

/** The built programs of the cluster, and the folders that a start uses. */
export const project = {
  edge: join(root, 'apps/edge/dist/main.js'),
  worker: join(root, 'apps/worker/dist/main.js'),
  placer: join(root, 'apps/placer/dist/main.js'),
  simulator: join(root, 'packages/simulator/dist/main.js'),
  /** The folder of a downloaded Redis server. */
  redisCache: join(data, 'redis'),
  /** The demo's files if it uses the user's own Redis. */
  demoData: join(data, 'demo'),
  liveData: join(data, 'live'),
} as const;
