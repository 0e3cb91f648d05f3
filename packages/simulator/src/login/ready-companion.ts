import { randomBytes, randomInt } from 'node:crypto';
import {
  type AuthenticationCreds,
  Curve,
  createSignalIdentity,
  encodeSignedDeviceIdentity,
  generateSignalPubKey,
  type KeyPair,
  proto,
  WA_ADV_DEVICE_SIG_PREFIX,
} from '@whiskeysockets/baileys';
import { signXeddsa } from '../signal/xeddsa.js';
import type { Account } from '../world/account.js';
import { signDeviceIdentity } from './device-identity.js';

/** The credentials with which a client logs in as a companion that is already linked. */
export interface ReadyCompanion {
  readonly creds: AuthenticationCreds;
  /** The private halves of the one-time pre-keys that the server has, by their ids. */
  readonly preKeys: Readonly<Record<string, KeyPair>>;
}

/**
 * Links a companion to the phone's account without a connection: its keys are on the server, its history is synced.
 * Takes a few milliseconds, including 0.2 ms for each one-time pre-key. A client that links by itself generates 812
 * pre-keys and takes ten times as long.
 */
export function linkReadyCompanion(phone: Account, { preKeyCount }: { preKeyCount: number }): ReadyCompanion {
  const identity = Curve.generateKeyPair();
  const noiseKey = Curve.generateKeyPair();
  const signedKeyPair = Curve.generateKeyPair();
  const signedPreKey = {
    keyId: 1,
    keyPair: signedKeyPair,
    signature: signXeddsa(identity.private, generateSignalPubKey(signedKeyPair.public)),
  };
  const registrationId = randomInt(1, 16380);
  const advSecret = randomBytes(32);
  const { id, keyIndex } = phone.reserveDeviceId();
  const { account, deviceIdentity } = signedByBoth(phone, identity, advSecret, keyIndex);
  const preKeys = Object.fromEntries(
    Array.from({ length: preKeyCount }, (_, index) => [String(index + 1), Curve.generateKeyPair()]),
  );

  const publicSignedPreKey = {
    keyId: signedPreKey.keyId,
    publicKey: signedKeyPair.public,
    signature: signedPreKey.signature,
  };
  const keys = { registrationId, identityKey: identity.public, signedPreKey: publicSignedPreKey };
  const device = phone.addDevice({
    ...keys,
    id,
    noiseKey: noiseKey.public,
    deviceIdentity,
    os: 'Mac OS',
    platform: 'CHROME',
    wantsFullHistory: false,
  });
  device.storeKeys(
    keys,
    Object.entries(preKeys).map(([keyId, { public: publicKey }]) => ({ keyId: Number(keyId), publicKey })),
  );
  device.greeted = true;

  const creds: AuthenticationCreds = {
    noiseKey,
    pairingEphemeralKeyPair: Curve.generateKeyPair(),
    signedIdentityKey: identity,
    signedPreKey,
    registrationId,
    advSecretKey: advSecret.toString('base64'),
    processedHistoryMessages: [],
    nextPreKeyId: preKeyCount + 1,
    firstUnuploadedPreKeyId: preKeyCount + 1,
    // Baileys waits for a history sync while this is 0.
    accountSyncCounter: 1,
    accountSettings: { unarchiveChats: false },
    registered: false,
    pairingCode: undefined,
    lastPropHash: undefined,
    routingInfo: undefined,
    additionalData: undefined,
    me: { id: device.jid, lid: device.lid, name: phone.name },
    account,
    signalIdentities: [createSignalIdentity(device.lid, phone.identity.public)],
    platform: phone.platform,
  };
  return { creds, preKeys };
}

/** The statement that the companion belongs to the account, signed by the phone and then by the companion. */
function signedByBoth(phone: Account, identity: KeyPair, advSecret: Uint8Array, keyIndex: number) {
  const { details: statement } = proto.ADVSignedDeviceIdentityHMAC.decode(
    signDeviceIdentity(phone.identity, identity.public, advSecret, keyIndex),
  );
  const account = proto.ADVSignedDeviceIdentity.decode(statement ?? new Uint8Array());
  account.deviceSignature = signXeddsa(
    identity.private,
    Buffer.concat([
      WA_ADV_DEVICE_SIG_PREFIX,
      account.details ?? new Uint8Array(),
      identity.public,
      phone.identity.public,
    ]),
  );
  return { account, deviceIdentity: encodeSignedDeviceIdentity(account, false) };
}
