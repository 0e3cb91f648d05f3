import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { importsBelow } from './imports.js';

/**
 * The folders of each package that has more than a few, from the lowest to the highest. A file imports only from its own
 * folder and from lower ones, types included. The files beside the folders stand above all of them.
 */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  'packages/store': [
    'redis',
    'audit',
    'accounts',
    'idempotency',
    'jobs',
    'sessions',
    'auth',
    'settings',
    'pacing',
    'moving',
    'uploads',
    'placement',
    'messages',
    'lists',
    'events',
    'edges',
    'tenants',
    'commands',
    'workers',
  ],
  'packages/session': [
    'baileys',
    'caches',
    'mapping',
    'identity',
    'lists',
    'outbox',
    'settings',
    'auth',
    'status',
    'add-ons',
    'events',
    'inbound',
    'passkey',
    'connection',
    'known-messages',
    'content',
    'media',
    'pairing',
    'commands',
    'list-filling',
  ],
  'packages/media-tools': [
    'errors',
    'spool',
    'interface',
    'sniffing',
    'children',
    'sharp',
    'ffmpeg',
    'preparing',
  ],
  'apps/edge': [
    'engine',
    'http',
    'errors',
    'access',
    'fanout',
    'limits',
    'auth',
    'audit',
    'idempotency',
    'sessions',
    'media',
    'sending',
    'jobs',
    'streams',
    'sse',
    'sockets',
    'tenants',
    'forwarding',
    'rest',
    'wiring',
  ],
  'apps/worker': ['sessions'],
};

/** Support for tests, which may use everything. */
const TESTING = 'testing';

/** The folders of a package that have no layer. */
export function foldersWithoutLayer(root: string, layers: readonly string[]): string[] {
  return readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== TESTING && !layers.includes(entry.name))
    .map(({ name }) => name);
}

/** The imports of a package that lead to a higher layer, as `from > to`. */
export function upwardImports(root: string, layers: readonly string[]): string[] {
  const sources = join(root, 'src');
  const levelOf = (file: string) => {
    const [folder = '', ...rest] = relative(sources, file).split('/');
    return rest.length === 0 ? layers.length : layers.indexOf(folder);
  };
  const isChecked = (file: string) =>
    !file.endsWith('.test.ts') && !relative(sources, file).startsWith(`${TESTING}/`);
  return [...importsBelow(sources)]
    .filter(([file]) => isChecked(file))
    .flatMap(([file, targets]) =>
      targets
        .filter((target) => levelOf(target) > levelOf(file))
        .map((target) => `${relative(sources, file)} > ${relative(sources, target)}`),
    );
}
