/**
 * Copies the runtime files of an app of this repository, without sources, tests and types, and the workspaces that it
 * depends on: `node collect-app.mjs FROM TO APP`, e.g. `/build /wafleet apps/edge`. The Dockerfile runs it.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The runtime files of a package: the build, and the Lua scripts beside the sources. */
const PARTS = /** @type {const} */ ([
  ['dist', isBuilt],
  ['src', isLua],
]);

const [from = '', to = '', app = ''] = process.argv.slice(2);
const folders = new Map(workspaceFolders().map((folder) => [readManifest(folder).name, folder]));
for (const folder of closureOf(app)) {
  mkdirSync(join(to, folder), { recursive: true });
  cpSync(join(from, folder, 'package.json'), join(to, folder, 'package.json'));
  for (const [part, filter] of PARTS) {
    const source = join(from, folder, part);
    if (existsSync(source)) cpSync(source, join(to, folder, part), { recursive: true, filter });
  }
}

function workspaceFolders() {
  /** @type {{ workspaces: string[] }} */
  const { workspaces } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  return workspaces.flatMap((pattern) => {
    if (!pattern.endsWith('/*')) return [pattern];
    const parent = pattern.slice(0, -2);
    return readdirSync(join(from, parent)).map((name) => join(parent, name));
  });
}

/**
 * @param {string} folder
 * @returns {{ name: string, dependencies?: Record<string, string> }}
 */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(from, folder, 'package.json'), 'utf8'));
}

/**
 * Returns the folder itself and the folders of all workspaces that it needs.
 *
 * @param {string} folder
 * @returns {Set<string>}
 */
function closureOf(folder, found = new Set()) {
  if (found.has(folder)) return found;
  found.add(folder);
  for (const name of Object.keys(readManifest(folder).dependencies ?? {})) {
    const needed = folders.get(name);
    if (needed !== undefined) closureOf(needed, found);
  }
  return found;
}

/** @param {string} path */
function isBuilt(path) {
  return basename(path) !== 'testing' && !/\.test\.|\.d\.ts|\.tsbuildinfo$/.test(basename(path));
}

/** @param {string} path */
function isLua(path) {
  return statSync(path).isDirectory() || path.endsWith('.lua');
}
