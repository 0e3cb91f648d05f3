/** The content of a client's QR code. */
export interface Qr {
  readonly ref: string;
  readonly noiseKey: Buffer;
  readonly identityKey: Buffer;
  readonly advSecret: Buffer;
}

/**
 * Reads `https://wa.me/settings/linked_devices#ref,noise,identity,advSecret,platform` (keys in base64); the older
 * form without the address as well. Throws on anything else.
 */
export function readQr(text: string): Qr {
  const [ref, noiseKey, identityKey, advSecret] = text
    .slice(text.indexOf('#') + 1)
    .trim()
    .split(',');
  if (!ref || !noiseKey || !identityKey || !advSecret)
    throw new Error('this is not a QR code of WhatsApp Web');
  return {
    ref,
    noiseKey: Buffer.from(noiseKey, 'base64'),
    identityKey: Buffer.from(identityKey, 'base64'),
    advSecret: Buffer.from(advSecret, 'base64'),
  };
}
