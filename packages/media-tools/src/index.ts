export { createMediaTools } from './create-media-tools.js';
export * from './descriptions.js';
export {
  type MediaBound,
  type MediaTool,
  MediaToolError,
  type MediaToolErrorKind,
} from './media-tool-error.js';
export type { MediaCall, MediaTools, MediaToolsOptions } from './media-tools.js';
export { sniffMedia } from './sniffing/sniff-media.js';
export { SpoolBudget } from './spool/spool-budget.js';
export { SpoolFile, type SpoolOptions, type SpoolWriteOptions } from './spool/spool-file.js';
