import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const IMPORT = /(?:import|export)\s[^;]*?from '(\.{1,2}\/[^']+)\.js'/g;

/** The imports of each TypeScript file below a folder that lead to another one there, types included. */
export function importsBelow(folder: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/(^|\/)(dist|node_modules)\//.test(file))
    .map((file) => join(folder, file));
  return new Map(
    files.map((file) => [
      file,
      [...readFileSync(file, 'utf8').matchAll(IMPORT)]
        .map(([, path = '']) => `${resolve(dirname(file), path)}.ts`)
        .filter((target) => existsSync(target)),
    ]),
  );
}
