import { randomBytes } from 'node:crypto';
import { BundleError } from './bundle-error.js';
import { generateKeyPair, type KeyPair } from './curve25519.js';
import type { AccountIdentity, LinkedCredentials } from './linked-session.js';
import { asBytes, asCount, asFields, asInteger, asPublicKey, asText, type Fields } from './values.js';

/** A companion's id: number, perhaps a domain, and the device, which counts from 1. */
const COMPANION = /^(\d{5,20})(?:_\d{1,3})?:(\d{1,5})@(?:s\.whatsapp\.net|hosted)$/;
const LID = /^\d{5,20}(?:_\d{1,3})?:\d{1,5}@(?:lid|hosted\.lid)$/;
/** A number that another client than Baileys chose may be larger than Signal's 14 bits. */
const MAX_REGISTRATION_ID = 2 ** 31 - 1;
/** Notes about parts of the history that came. Only the newest decide anything. */
const HISTORY_NOTES = 200;

function malformed(path: string): BundleError {
  return new BundleError('malformed', path, `${path} is missing, or not in the form that Baileys writes.`);
}

/** A linked device, by the id of a companion. */
export interface CompanionDevice {
  /** The account's number, digits only. */
  readonly phone: string;
  /** `<number>:<device>`, which names a linked device in the whole of WhatsApp. */
  readonly device: string;
}

/** Returns undefined for a text that is not the id of a companion. */
export function deviceOf(jid: string): CompanionDevice | undefined {
  const [, phone, device] = COMPANION.exec(jid) ?? [];
  if (phone === undefined || Number(device) < 1) return undefined;
  return { phone, device: `${phone}:${Number(device)}` };
}

/**
 * Reads credentials of any release of Baileys since 6.0, and fills what only later releases have. Fields that no
 * release needs after the link are left out, and so is `routingInfo`, which WhatsApp sends again at the login.
 * @param value `creds` with its bytes revived.
 * @throws {BundleError} malformed, not-linked. It checks forms, not whether keys belong together.
 */
export function readCredentials(value: unknown): LinkedCredentials {
  const fields = asFields(value);
  if (fields === undefined) throw malformed('creds');
  const me = readMe(fields.me);
  if (fields.account === undefined || fields.account === null) {
    throw new BundleError(
      'not-linked',
      'creds.account',
      'The link was not finished: no phone has signed it.',
    );
  }
  const registrationId = asCount(fields.registrationId);
  if (registrationId === undefined || registrationId > MAX_REGISTRATION_ID) {
    throw malformed('creds.registrationId');
  }
  const nextPreKeyId = asCount(fields.nextPreKeyId) ?? 1;
  return {
    ...optionalFields(fields),
    me,
    noiseKey: requireKeyPair(fields.noiseKey, 'creds.noiseKey'),
    signedIdentityKey: requireKeyPair(fields.signedIdentityKey, 'creds.signedIdentityKey'),
    signedPreKey: readSignedPreKey(fields.signedPreKey),
    pairingEphemeralKeyPair: readKeyPair(fields.pairingEphemeralKeyPair) ?? generateKeyPair(),
    registrationId,
    advSecretKey: asText(fields.advSecretKey) ?? randomBytes(32).toString('base64'),
    account: readAccount(fields.account),
    signalIdentities: readIdentities(fields.signalIdentities),
    processedHistoryMessages: readHistoryNotes(fields.processedHistoryMessages),
    accountSettings: asFields(fields.accountSettings) ?? { unarchiveChats: false },
    accountSyncCounter: Math.max(1, asCount(fields.accountSyncCounter) ?? 1),
    registered: true,
    nextPreKeyId,
    firstUnuploadedPreKeyId: asCount(fields.firstUnuploadedPreKeyId) ?? nextPreKeyId,
  };
}

function readMe(value: unknown): LinkedCredentials['me'] {
  const { id, lid, name } = asFields(value) ?? {};
  if (typeof id !== 'string') {
    throw new BundleError('not-linked', 'creds.me', 'These credentials were never linked to a phone.');
  }
  if (deviceOf(id) === undefined) {
    const message = 'creds.me.id is not the id of a linked device: <number>:<device>@s.whatsapp.net.';
    throw new BundleError('malformed', 'creds.me.id', message);
  }
  return {
    id,
    ...(typeof lid === 'string' && LID.test(lid) ? { lid } : {}),
    ...(typeof name === 'string' ? { name } : {}),
  };
}

/** A pair of Curve25519 keys; undefined for anything else. */
export function readKeyPair(value: unknown): KeyPair | undefined {
  const { private: privateHalf, public: publicHalf } = asFields(value) ?? {};
  const [privateKey, publicKey] = [asBytes(privateHalf, 32), asPublicKey(publicHalf)];
  return privateKey === undefined || publicKey === undefined
    ? undefined
    : { private: privateKey, public: publicKey };
}

function requireKeyPair(value: unknown, path: string): KeyPair {
  const pair = readKeyPair(value);
  if (pair === undefined) throw malformed(path);
  return pair;
}

function readSignedPreKey(value: unknown): LinkedCredentials['signedPreKey'] {
  const { keyPair, signature, keyId } = asFields(value) ?? {};
  const [bytes, id] = [asBytes(signature, 64), asCount(keyId)];
  if (bytes === undefined || id === undefined) throw malformed('creds.signedPreKey');
  return { keyPair: requireKeyPair(keyPair, 'creds.signedPreKey.keyPair'), signature: bytes, keyId: id };
}

function readAccount(value: unknown): AccountIdentity {
  const fields = asFields(value);
  const details = asBytes(fields?.details);
  const accountSignatureKey = asPublicKey(fields?.accountSignatureKey);
  const accountSignature = asBytes(fields?.accountSignature, 64);
  const deviceSignature = asBytes(fields?.deviceSignature, 64);
  if (details === undefined || details.length === 0) throw malformed('creds.account.details');
  if (accountSignatureKey === undefined) throw malformed('creds.account.accountSignatureKey');
  if (accountSignature === undefined) throw malformed('creds.account.accountSignature');
  if (deviceSignature === undefined) throw malformed('creds.account.deviceSignature');
  return { details, accountSignatureKey, accountSignature, deviceSignature };
}

/** Not read after the link, but a field that Baileys expects to be a list. */
function readIdentities(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    const { identifier, identifierKey } = asFields(item) ?? {};
    const { name, deviceId } = asFields(identifier) ?? {};
    const key = asBytes(identifierKey, 32, 33);
    if (typeof name !== 'string' || key === undefined) return [];
    return [{ identifier: { name, deviceId: asCount(deviceId) ?? 0 }, identifierKey: key }];
  });
}

function readHistoryNotes(value: unknown): unknown[] {
  if (!Array.isArray(value)) return [];
  return value.slice(-HISTORY_NOTES).flatMap((item: unknown) => {
    const { key, messageTimestamp } = asFields(item) ?? {};
    const { id, remoteJid, fromMe } = asFields(key) ?? {};
    const at = asInteger(messageTimestamp);
    if (typeof id !== 'string' || at === undefined) return [];
    return [
      {
        key: { id, fromMe: fromMe === true, ...(typeof remoteJid === 'string' ? { remoteJid } : {}) },
        messageTimestamp: at,
      },
    ];
  });
}

function optionalFields(fields: Fields): Record<string, unknown> {
  const { platform, myAppStateKeyId, lastPropHash } = fields;
  const lastAccountSyncTimestamp = asInteger(fields.lastAccountSyncTimestamp);
  return {
    ...(typeof platform === 'string' ? { platform } : {}),
    ...(typeof myAppStateKeyId === 'string' ? { myAppStateKeyId } : {}),
    ...(typeof lastPropHash === 'string' ? { lastPropHash } : {}),
    ...(lastAccountSyncTimestamp === undefined ? {} : { lastAccountSyncTimestamp }),
  };
}
