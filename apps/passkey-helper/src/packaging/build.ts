/** `npm run build`: what a browser loads as an unpacked extension. */
import { buildExtensionFolder } from './extension-folder.js';

await buildExtensionFolder();
