export { SessionCaches } from './caches/session-caches.js';
export { CLIENT_VERSION } from './client-version.js';
export { ConnectGate } from './connect-gate.js';
export { prepareProcess } from './engine/prepare-process.js';
export { quietLibsignal } from './quiet-libsignal.js';
export type { SessionEnd, StorageReach, WhatsAppSessionOptions } from './session-options.js';
export { trustRootKey } from './trust-root-key.js';
export { WhatsAppSession } from './whatsapp-session.js';
