import { extractProgram } from '../debian-packages.js';
import { whyItFailed } from '../run.js';
import type { FindBackend } from './backend.js';
import { inCache, SERVER_PATH } from './in-cache.js';

/**
 * Debian's or Ubuntu's own package of Redis, downloaded and extracted into the cache folder. Needs no root, and
 * installs nothing.
 */
export const fromApt: FindBackend = async (search) => {
  search.onProgress(
    'no Redis on this machine: fetching its package with apt-get into the project (no root needed)',
  );
  try {
    await extractProgram({ packages: ['redis-server', 'redis-tools'], path: SERVER_PATH, ...search });
  } catch (error) {
    return { missing: whyItFailed(error) };
  }
  return inCache(search);
};
