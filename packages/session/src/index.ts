export { CLIENT_VERSION } from './baileys/client-version.js';
export { installPatches } from './baileys/patches/install.js';
export { quietLibsignal } from './baileys/patches/quiet-libsignal.js';
export { trustRootKey } from './baileys/trust-root-key.js';
export { SessionCaches } from './caches/session-caches.js';
export { ConnectLimiter } from './connection/connect-limiter.js';
export type { SessionEnd, StorageReach, WhatsAppSessionOptions } from './session-options.js';
export { WhatsAppSession } from './whatsapp-session.js';
