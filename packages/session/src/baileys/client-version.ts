import { DEFAULT_CONNECTION_CONFIG, type WAVersion } from '@whiskeysockets/baileys';

/** The version of WhatsApp Web that this release of Baileys reports by itself, such as `2.3000.1043857760`. */
export const BUNDLED_VERSION = DEFAULT_CONNECTION_CONFIG.version.join('.');

/**
 * Returns a version such as `2.3000.1043857760` in the form that Baileys takes.
 * @throws {TypeError} if it is not three numbers with dots between them.
 */
export function baileysVersion(version: string): WAVersion {
  const [primary, secondary, tertiary, ...rest] = version.split('.').map(Number);
  if (
    primary === undefined ||
    secondary === undefined ||
    tertiary === undefined ||
    rest.length > 0 ||
    ![primary, secondary, tertiary].every(Number.isSafeInteger)
  ) {
    throw new TypeError(`${version} is not a version of WhatsApp Web`);
  }
  return [primary, secondary, tertiary];
}
