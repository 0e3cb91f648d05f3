export { createMediaTools } from './create-media-tools.js';
export {
  type MediaBound,
  type MediaTool,
  MediaToolError,
  type MediaToolErrorKind,
} from './errors/media-tool-error.js';
export * from './interface/descriptions.js';
export type { MediaCall, MediaTools, MediaToolsOptions } from './interface/media-tools.js';
export { sniffMedia } from './sniffing/sniff-media.js';
export { SpoolBudget } from './spool/spool-budget.js';
export { SpoolFile, type SpoolOptions, type SpoolWriteOptions } from './spool/spool-file.js';
