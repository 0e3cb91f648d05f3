import { randomInt } from 'node:crypto';
import { hmacSign, type KeyPair, proto, WA_ADV_ACCOUNT_SIG_PREFIX } from '@whiskeysockets/baileys';
import { signXeddsa } from '../signal/xeddsa.js';
import { unixSeconds } from '../unix-seconds.js';

/**
 * The phone's statement that a companion belongs to its account: an encoded ADVSignedDeviceIdentityHMAC. The
 * signature covers `06 00`, the details and the companion's identity key; the HMAC, by the secret that the QR or
 * the pairing code has carried, proves to the companion that the statement comes from the phone that read the code.
 */
export function signDeviceIdentity(
  phone: KeyPair,
  companionIdentityKey: Uint8Array,
  advSecret: Uint8Array,
  keyIndex: number,
): Uint8Array {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: randomInt(2 ** 31),
    timestamp: unixSeconds(),
    keyIndex,
  }).finish();
  const signed = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: phone.public,
    accountSignature: signXeddsa(
      phone.private,
      Buffer.concat([WA_ADV_ACCOUNT_SIG_PREFIX, details, companionIdentityKey]),
    ),
  }).finish();
  return proto.ADVSignedDeviceIdentityHMAC.encode({
    details: signed,
    hmac: hmacSign(signed, advSecret),
  }).finish();
}
