import { DEFAULT_CONNECTION_CONFIG } from '@whiskeysockets/baileys';

/** The version of WhatsApp Web that this release of Baileys reports, such as `2.3000.1043857760`. */
export const CLIENT_VERSION = DEFAULT_CONNECTION_CONFIG.version.join('.');
