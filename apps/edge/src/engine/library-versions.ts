import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Library } from './internal.js';

const foundManifest = z.looseObject({ name: z.string(), version: z.string() });
const ownManifest = z.looseObject({ dependencies: z.record(z.string(), z.string()) });

/** The files that are loaded: those of engine.io and ws are the ones that Socket.IO uses. */
function fileOf(library: Library): string {
  const socketIo = createRequire(import.meta.url).resolve('socket.io');
  if (library === 'socket.io') return socketIo;
  const engine = createRequire(socketIo).resolve('engine.io');
  return library === 'engine.io' ? engine : createRequire(engine).resolve('ws');
}

/** The version of a library that this process uses; `unknown` if its package does not state it. */
export function foundVersion(library: Library): string {
  for (let folder = dirname(fileOf(library)); folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const { success, data } = foundManifest.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (success && data.name === library) return data.version;
  }
  return 'unknown';
}

/** The version of a library that the edge is made for, as its package.json has it. */
export function pinnedVersion(library: Library): string {
  const file = new URL('../../package.json', import.meta.url);
  return ownManifest.parse(JSON.parse(readFileSync(file, 'utf8'))).dependencies[library] ?? 'unknown';
}
