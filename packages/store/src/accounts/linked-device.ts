import { createHash } from 'node:crypto';

/** The public halves of a linked device's own keys. */
interface DeviceKeys {
  /** Known to the device and to WhatsApp. */
  readonly noiseKey: { readonly public: Uint8Array };
  /** Known to everyone who writes with the account. */
  readonly signedIdentityKey: { readonly public: Uint8Array };
}

/**
 * Names a linked device together with its keys: `<number>:<device>:<SHA-256, base64url>`. All who have the credentials
 * of the device get the same name. Credentials with the same number and other keys get another name, so that they
 * neither find out about the device nor block it.
 *
 * The caller must know that the private halves of the keys are there: an import checks that they belong together.
 * @param device `<number>:<device>`.
 */
export function linkedDevice(device: string, { noiseKey, signedIdentityKey }: DeviceKeys): string {
  const digest = createHash('sha256')
    .update(`wafleet linked device ${device}\n`)
    .update(noiseKey.public)
    .update(signedIdentityKey.public)
    .digest('base64url');
  return `${device}:${digest}`;
}
