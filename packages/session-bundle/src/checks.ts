import { Breaks } from './breaks.js';
import { BundleError } from './bundle-error.js';
import { isKeyPair, isSignedBy, type KeyPair } from './curve25519.js';
import { BUNDLE_LIMITS } from './limits.js';
import type { AccountIdentity, LinkedCredentials, Notes } from './linked-session.js';
import type { RecordType } from './record-names.js';
import { peerIdentityOf } from './signal-records.js';

export type MutableRecords = Map<RecordType, Map<string, unknown>>;

/** What WhatsApp's signatures begin with (Baileys, Defaults/index.js): of an account's phone, of a hosted account. */
const ACCOUNT_PREFIX = { phone: Buffer.of(6, 0), hosted: Buffer.of(6, 5) };
const DEVICE_PREFIXES = [Buffer.of(6, 1), Buffer.of(6, 6)];
/** Field 5 of ADVDeviceIdentity, `deviceType`, as a varint; 1 is HOSTED. */
const HOSTED_FIELD = Buffer.of(0x28, 1);

/**
 * Checks that the keys of credentials belong together, as far as that shows without WhatsApp.
 * @throws {BundleError} key-mismatch, signature-invalid.
 */
export function checkCredentials(creds: LinkedCredentials, notes: Notes): void {
  requirePair(creds.noiseKey, 'creds.noiseKey');
  requirePair(creds.signedIdentityKey, 'creds.signedIdentityKey');
  requirePair(creds.signedPreKey.keyPair, 'creds.signedPreKey.keyPair');
  const identity = creds.signedIdentityKey.public;
  const signedPreKey = Buffer.concat([Buffer.of(5), creds.signedPreKey.keyPair.public]);
  if (!isSignedBy(identity, signedPreKey, creds.signedPreKey.signature)) {
    notes.add('signed-pre-key-unsigned');
  }
  checkAccount(creds.account, identity, notes);
}

function requirePair(pair: KeyPair, path: string): void {
  if (!isKeyPair(pair)) {
    throw new BundleError('key-mismatch', path, `The two halves of ${path} do not belong together.`);
  }
}

function checkAccount(account: AccountIdentity, identity: Buffer, notes: Notes): void {
  const { details, accountSignatureKey, accountSignature, deviceSignature } = account;
  const prefix = details.includes(HOSTED_FIELD)
    ? [ACCOUNT_PREFIX.hosted, ACCOUNT_PREFIX.phone]
    : [ACCOUNT_PREFIX.phone];
  const isSigned = prefix.some((first) =>
    isSignedBy(accountSignatureKey, Buffer.concat([first, details, identity]), accountSignature),
  );
  if (!isSigned) {
    const message = "The phone's signature in creds.account is not over this device's identity key.";
    throw new BundleError('signature-invalid', 'creds.account.accountSignature', message);
  }
  const signed = DEVICE_PREFIXES.some((first) =>
    isSignedBy(identity, Buffer.concat([first, details, identity, accountSignatureKey]), deviceSignature),
  );
  if (!signed) notes.add('device-signature-missing');
}

/**
 * Checks the records against the credentials, and removes what contradicts them.
 * @throws {BundleError} several-accounts, if the Signal session with the account's phone is of another account.
 */
export async function checkRecords(
  creds: LinkedCredentials,
  keys: MutableRecords,
  notes: Notes,
): Promise<void> {
  checkOwnPhone(creds, keys);
  await checkPreKeys(keys, notes);
  for (const [id, identity] of keys.get('identity-key') ?? []) {
    const known = peerIdentityOf(keys.get('session')?.get(id));
    if (known === undefined || !(identity instanceof Uint8Array) || known.equals(identity)) continue;
    // The Signal session works; Baileys would delete it because of the other key.
    keys.get('identity-key')?.delete(id);
    notes.add('malformed');
  }
}

/** The phone signs with the key that it has in its Signal session with the device. */
function checkOwnPhone({ me, account }: LinkedCredentials, keys: MutableRecords): void {
  const [number] = me.id.split(':');
  const [lid] = (me.lid ?? '').split(':');
  const sessions = keys.get('session');
  for (const address of [`${number}.0`, `${lid}_1.0`, `${lid}.0`]) {
    const peer = peerIdentityOf(sessions?.get(address));
    if (peer === undefined || peer.subarray(1).equals(account.accountSignatureKey)) continue;
    const message = 'The Signal session with the own phone is of another account: records are mixed.';
    throw new BundleError('several-accounts', `session-${address}`, message);
  }
}

async function checkPreKeys(keys: MutableRecords, notes: Notes): Promise<void> {
  const preKeys = keys.get('pre-key');
  if (preKeys === undefined) return;
  const newestFirst = [...preKeys.keys()].sort((a, b) => Number(b) - Number(a));
  const breaks = new Breaks();
  for (const [index, id] of newestFirst.entries()) {
    await breaks.next();
    if (index >= BUNDLE_LIMITS.preKeys) {
      preKeys.delete(id);
      notes.add('old-pre-keys');
    } else if (!/^\d{1,8}$/.test(id) || !isPair(preKeys.get(id))) {
      preKeys.delete(id);
      notes.add('key-mismatch');
    }
  }
}

function isPair(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null && 'private' in value && 'public' in value;
  if (!isObject) return false;
  const { private: privateKey, public: publicKey } = value;
  return (
    Buffer.isBuffer(privateKey) &&
    Buffer.isBuffer(publicKey) &&
    isKeyPair({ private: privateKey, public: publicKey })
  );
}

/** Repairs what counts keys, so that no id is given twice. */
export function repairCounters(
  creds: LinkedCredentials,
  keys: MutableRecords,
  notes: Notes,
): LinkedCredentials {
  const highest = Math.max(0, ...[...(keys.get('pre-key')?.keys() ?? [])].map(Number));
  // WhatsApp takes this for a device that has logged in before only above 1.
  const nextPreKeyId = Math.max(creds.nextPreKeyId, highest + 1, 2);
  const firstUnuploadedPreKeyId = Math.min(Math.max(1, creds.firstUnuploadedPreKeyId), nextPreKeyId);
  if (highest === 0 && creds.nextPreKeyId > 1) notes.add('pre-keys-missing');
  const appStateKeys = keys.get('app-state-sync-key');
  const { myAppStateKeyId, ...others } = creds;
  const keyId =
    myAppStateKeyId !== undefined && appStateKeys?.has(myAppStateKeyId)
      ? myAppStateKeyId
      : newestAppStateKey(appStateKeys);
  const isSame =
    nextPreKeyId === creds.nextPreKeyId &&
    firstUnuploadedPreKeyId === creds.firstUnuploadedPreKeyId &&
    keyId === myAppStateKeyId;
  if (!isSame) notes.add('counters-repaired');
  return {
    ...others,
    nextPreKeyId,
    firstUnuploadedPreKeyId,
    ...(keyId === undefined ? {} : { myAppStateKeyId: keyId }),
  } as LinkedCredentials;
}

function newestAppStateKey(keys: ReadonlyMap<string, unknown> | undefined): string | undefined {
  const timeOf = (key: unknown) =>
    typeof key === 'object' && key !== null && 'timestamp' in key ? Number(key.timestamp) : 0;
  return [...(keys ?? [])].sort(([, a], [, b]) => timeOf(b) - timeOf(a))[0]?.[0];
}
