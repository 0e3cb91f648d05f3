import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { run, whyItFailed } from '../run.js';
import type { FindBackend, Search } from './backend.js';
import { EXTRACTED, inCache } from './in-cache.js';

const APT_TIMEOUT_MS = 180_000;

/**
 * Debian's or Ubuntu's own package of Redis, downloaded and extracted into the cache folder. It needs no root and
 * installs nothing.
 */
export const fromApt: FindBackend = async (search) => {
  try {
    await extract(search);
  } catch (error) {
    return { missing: whyItFailed(error) };
  }
  return inCache(search);
};

/**
 * Each extraction has a folder of its own which takes its final name only when it is complete, so that processes which
 * extract at once never see each other's halves; the first to finish is kept.
 */
async function extract({ cacheDir, searchPath, onProgress }: Search): Promise<void> {
  await run('dpkg', ['--version'], { searchPath, timeoutMs: 5_000 });
  await mkdir(cacheDir, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'extracting-'));
  try {
    const packages = join(work, 'packages');
    await Promise.all(
      ['lists/partial', 'archives/partial', 'packages'].map((name) =>
        mkdir(join(work, name), { recursive: true }),
      ),
    );
    const options = [
      ...['-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${work}`],
      ...['-o', `APT::Sandbox::User=${userInfo().username}`],
    ];
    const within = { searchPath, cwd: packages, timeoutMs: APT_TIMEOUT_MS };

    onProgress(
      'no Redis on this machine: fetching its package with apt-get into the project (no root needed)',
    );
    await run('apt-get', [...options, '-qq', 'update'], within);
    const depends = await run('apt-cache', [...options, 'depends', 'redis-server', 'redis-tools'], within);
    const wanted = ['redis-server', 'redis-tools', ...librariesAmong(depends)];
    await run('apt-get', [...options, '-qq', 'download', ...wanted], within);
    for (const name of await readdir(packages)) {
      await run('dpkg', ['-x', name, join(work, EXTRACTED)], within);
    }
    await putInPlace(join(work, EXTRACTED), join(cacheDir, EXTRACTED));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The shared libraries in what `apt-cache depends` printed; libc itself is this machine's own. */
export function librariesAmong(depends: string): string[] {
  const names = [...depends.matchAll(/^\s*\|?Depends: (lib\S+)/gm)].map(([, name]) => name ?? '');
  return [...new Set(names)].filter((name) => name !== '' && name !== 'libc6' && !name.startsWith('libc6-'));
}

async function putInPlace(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(join(to, 'usr/bin/redis-server'))) throw error;
  }
}
