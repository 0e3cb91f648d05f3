import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { run } from './run.js';

const APT_TIMEOUT_MS = 180_000;
/** The folder of the extracted packages in the cache folder, laid out as in `/`. */
const EXTRACTED = 'root';

/** A program in packages of Debian or Ubuntu. */
export interface PackagedProgram {
  readonly packages: readonly string[];
  /** The path at which it is installed, without the first slash, e.g. `usr/sbin/nginx`. */
  readonly path: string;
  /** The folder for packages that are extracted for this project only. */
  readonly cacheDir: string;
  /** The PATH in which programs are looked up. Default: that of this process. */
  readonly searchPath?: string | undefined;
}

/** A program that was extracted, which may still not run here. */
export interface ExtractedProgram {
  readonly program: string;
  /** The folders of its shared libraries, for LD_LIBRARY_PATH. */
  readonly libraryPath: string;
}

/** The path of a program once it is extracted. */
export function extractedPath({ path, cacheDir }: Pick<PackagedProgram, 'path' | 'cacheDir'>): string {
  return join(cacheDir, EXTRACTED, path);
}

/** The result of an earlier `extractProgram`. Undefined if there is none. */
export function extractedProgram(
  options: Pick<PackagedProgram, 'path' | 'cacheDir'>,
): ExtractedProgram | undefined {
  const program = extractedPath(options);
  if (!existsSync(program)) return undefined;
  return { program, libraryPath: libraryPath(join(options.cacheDir, EXTRACTED)) };
}

/**
 * Downloads packages with apt-get, and the libraries that they need, and extracts them into the cache folder. Needs no
 * root, and installs nothing. Each extraction uses a separate folder, which gets its final name only when it is
 * complete. So concurrent processes never see each other's incomplete files. The first to finish is kept.
 * Rejects if there is no apt-get or no network.
 */
export async function extractProgram(options: PackagedProgram): Promise<ExtractedProgram> {
  const { packages: names, cacheDir, searchPath } = options;
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
    const apt = [
      ...['-o', `Dir::State::Lists=${join(work, 'lists')}`, '-o', `Dir::Cache=${work}`],
      ...['-o', `APT::Sandbox::User=${userInfo().username}`],
    ];
    const within = { searchPath, cwd: packages, timeoutMs: APT_TIMEOUT_MS };

    await run('apt-get', [...apt, '-qq', 'update'], within);
    const depends = await run('apt-cache', [...apt, 'depends', ...names], within);
    await run('apt-get', [...apt, '-qq', 'download', ...names, ...librariesAmong(depends)], within);
    for (const name of await readdir(packages)) {
      await run('dpkg', ['-x', name, join(work, EXTRACTED)], within);
    }
    return await putInPlace(join(work, EXTRACTED), options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The shared libraries in the output of `apt-cache depends`, without libc, which this machine provides. */
export function librariesAmong(depends: string): string[] {
  const names = [...depends.matchAll(/^\s*\|?Depends: (lib\S+)/gm)].map(([, name]) => name ?? '');
  return [...new Set(names)].filter((name) => name !== '' && name !== 'libc6' && !name.startsWith('libc6-'));
}

async function putInPlace(from: string, options: PackagedProgram): Promise<ExtractedProgram> {
  try {
    await rename(from, join(options.cacheDir, EXTRACTED));
  } catch (error) {
    if (extractedProgram(options) === undefined) throw error;
  }
  const found = extractedProgram(options);
  if (found === undefined) throw new Error(`the packages have no ${options.path}`);
  return found;
}

/** Debian keeps libraries in one folder per architecture, e.g. `usr/lib/x86_64-linux-gnu`. */
function libraryPath(root: string): string {
  const folders = ['usr/lib', 'lib'].flatMap((parent) => {
    const path = join(root, parent);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => name.endsWith('-linux-gnu') || name.includes('-linux-gnueabi'))
      .map((name) => join(path, name));
  });
  return folders.join(':');
}
