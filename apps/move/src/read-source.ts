import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StartError } from '@wafleet/runtime';
import { BUNDLE_LIMITS, BundleError, isBundle } from '@wafleet/session-bundle';
import type { Source } from './command-line.js';

/** What paths hold: a bundle, or the texts of files by their names. */
export type SourceContent =
  | { readonly bundle: Buffer }
  | { readonly files: Readonly<Record<string, string>> };

/** How deep folders with sessions lie below the one that was named. */
const LEVELS = 4;
/** Folders and files of clients that are not based on Baileys: of WAHA's engines GOWS and WEBJS. */
const OTHER_CLIENTS = /(?:^|[\\/])(?:gows|webjs|wpp)(?:[\\/]|$)|[.](?:db|sqlite3?)$/;

/**
 * Reads folders and files into memory. Of a folder it reads the files that may be of a session: JSON and texts.
 * @throws {StartError} if a path cannot be read, or a folder has no session but contains folders with one.
 * @throws {BundleError} unknown-format, too-large.
 */
export async function readSource(paths: readonly string[]): Promise<SourceContent> {
  const files: Record<string, string> = {};
  let bytes = 0;
  for (const path of paths) {
    for (const file of await filesIn(path)) {
      const content = await readFile(file);
      if (isBundle(content)) return { bundle: content };
      bytes += content.length;
      if (bytes > BUNDLE_LIMITS.bytes) {
        throw new BundleError('too-large', '', 'The files together are larger than a session is.');
      }
      files[basename(file)] = content.toString('utf8');
    }
  }
  return { files };
}

/** What the files look like, for somebody who does not say. */
export function guessSource(content: SourceContent): Source {
  if ('bundle' in content) return 'bundle';
  const names = Object.keys(content.files);
  if (names.some((name) => name.startsWith('.waha'))) return 'waha';
  if (names.includes('creds.json')) return 'baileys';
  const [only = ''] = Object.values(content.files);
  return names.length === 1 && only.trimStart().startsWith('[') ? 'waha' : 'evolution';
}

async function filesIn(path: string): Promise<string[]> {
  if (OTHER_CLIENTS.test(path)) {
    const message = `${path} is of a client that does not use Baileys. Its sessions cannot be moved.`;
    throw new BundleError('unknown-format', '', message);
  }
  const kind = await stat(path).catch(() => undefined);
  if (kind === undefined) throw new StartError(`${path} does not exist, or may not be read.`);
  if (kind.isFile()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && /[.](?:json|txt)$/.test(entry.name))
    .map(({ name }) => join(path, name));
  if (files.length > 0) return files;
  const inside = await sessionsBelow(path, LEVELS);
  const hint = inside.length === 0 ? '' : ` These folders have one: ${inside.join(', ')}.`;
  throw new StartError(`${path} has no file of a session.${hint}`);
}

async function sessionsBelow(folder: string, levels: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  if (entries.some(({ name }) => name === 'creds.json')) return [folder];
  if (levels === 0) return [];
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  return (await Promise.all(folders.map((inner) => sessionsBelow(inner, levels - 1)))).flat();
}
