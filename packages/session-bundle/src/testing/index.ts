export { PlainBaileys } from './plain-baileys.js';
export { readyFiles } from './ready-files.js';
export {
  baileys6,
  evolutionFiles,
  evolutionHash,
  evolutionLines,
  type Folder,
  wahaFolder,
  wahaMongo,
  wahaPostgres,
} from './written-formats.js';
