export { BundleError, type BundleProblem } from './bundle-error.js';
export { SOURCE_FORMATS, type SourceFiles, type SourceFormat } from './containers.js';
export { BUNDLE_LIMITS } from './limits.js';
export type { LinkedCredentials, LinkedSession, Note, SignalRecords } from './linked-session.js';
export { type ReadOptions, type ReadSession, readForeignSession } from './read-session.js';
export { RECORD_TYPES, type RecordType } from './record-names.js';
export {
  type BundleHeader,
  type BundleKey,
  type BundleSecret,
  isBundle,
  newBundleKey,
  openBundle,
  readBundleHeader,
  readBundleKey,
  type SealableSession,
  sealBundle,
  writeBundleKey,
} from './sealed-bundle.js';
