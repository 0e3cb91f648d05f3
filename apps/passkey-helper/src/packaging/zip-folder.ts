import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zipSync } from 'fflate';

/** The oldest time that a zip can have. It has no time zone: fflate writes the local fields of a date. */
const ONE_TIME_FOR_ALL = new Date(1980, 0, 1);

/** A zip of a folder's files. The same files give the same bytes on every machine: nothing is compressed. */
export async function zipFolder(folder: string): Promise<Uint8Array> {
  const names = (await readdir(folder)).sort();
  const files = await Promise.all(
    names.map(async (name): Promise<[string, Uint8Array]> => [name, await readFile(join(folder, name))]),
  );
  return zipSync(Object.fromEntries(files), { level: 0, mtime: ONE_TIME_FOR_ALL });
}
