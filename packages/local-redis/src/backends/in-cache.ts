import { extractedPath, extractedProgram } from '../debian-packages.js';
import { whyItFailed } from '../run.js';
import type { FindBackend } from './backend.js';
import { binaryBackend } from './binary.js';

/** The server in the packages that an earlier start extracted. */
export const SERVER_PATH = 'usr/bin/redis-server';

/** The server that an earlier start extracted into the cache folder. */
export const inCache: FindBackend = async ({ cacheDir, searchPath }) => {
  const server = { path: SERVER_PATH, cacheDir };
  const extracted = extractedProgram(server);
  if (extracted === undefined) return { missing: `there is no ${extractedPath(server)}` };
  try {
    return { backend: await binaryBackend({ ...extracted, searchPath }) };
  } catch (error) {
    return { missing: `${extracted.program} does not run: ${whyItFailed(error)}` };
  }
};
