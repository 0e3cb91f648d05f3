/** `npm run package`: the built folder as one file. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXTENSION_FOLDER, extensionVersion } from './extension-folder.js';
import { zipFolder } from './zip-folder.js';

const file = join(EXTENSION_FOLDER, `../wafleet-passkey-helper-${await extensionVersion()}.zip`);
await writeFile(file, await zipFolder(EXTENSION_FOLDER));
process.stdout.write(`${file}\n`);
