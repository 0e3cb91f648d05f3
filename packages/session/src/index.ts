export { quietLibsignal } from './quiet-libsignal.js';
export type { SessionEnd, WhatsAppSessionOptions } from './session-options.js';
export { trustRootKey } from './trust-root-key.js';
export { WhatsAppSession } from './whatsapp-session.js';
