export { PlainBaileys } from './plain-baileys.js';
export { readyFiles } from './ready-files.js';
export {
  baileys6,
  evolutionFiles,
  evolutionHash,
  evolutionLines,
  evolutionMixed,
  type Folder,
  wahaFolder,
  wahaMongo,
  wahaPostgres,
} from './written-formats.js';
