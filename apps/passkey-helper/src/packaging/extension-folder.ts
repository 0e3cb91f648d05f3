import { copyFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '../..');

/** The folder that a browser loads. */
export const EXTENSION_FOLDER = join(ROOT, 'dist-extension');

const SCRIPTS = { panel: 'panel/main.ts', signer: 'signer/main.ts', relay: 'relay/main.ts' };

/** Makes the folder again. The same sources give the same bytes; they stay readable for those who check them. */
export async function buildExtensionFolder(): Promise<void> {
  await rm(EXTENSION_FOLDER, { recursive: true, force: true });
  await mkdir(EXTENSION_FOLDER);
  await build({
    absWorkingDir: ROOT,
    entryPoints: Object.entries(SCRIPTS).map(([out, path]) => ({ out, in: join('src', path) })),
    outdir: EXTENSION_FOLDER,
    bundle: true,
    format: 'iife',
    target: ['chrome121', 'firefox128'],
    charset: 'utf8',
    logLevel: 'warning',
  });
  for (const file of await readdir(join(ROOT, 'extension')))
    await copyFile(join(ROOT, 'extension', file), join(EXTENSION_FOLDER, file));
}

/** The version in the manifest of the extension. */
export async function extensionVersion(): Promise<string> {
  const manifest: { version: string } = JSON.parse(
    await readFile(join(EXTENSION_FOLDER, 'manifest.json'), 'utf8'),
  );
  return manifest.version;
}
