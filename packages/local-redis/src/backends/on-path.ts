import { whyItFailed } from '../run.js';
import type { FindBackend } from './backend.js';
import { binaryBackend } from './binary.js';

/** A `redis-server` or `valkey-server` that is installed on this machine. */
export const onPath: FindBackend = async ({ searchPath }) => {
  const refusals: string[] = [];
  for (const program of ['redis-server', 'valkey-server']) {
    try {
      return { backend: await binaryBackend({ program, searchPath }) };
    } catch (error) {
      refusals.push(whyItFailed(error));
    }
  }
  return { missing: refusals.join(', ') };
};
