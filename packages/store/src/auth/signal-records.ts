import type { AuthenticationCreds, SignalDataTypeMap } from '@whiskeysockets/baileys';

type SignalType = keyof SignalDataTypeMap;

/** The start of the JSON in which Baileys stores a group member's sender keys (Signal/Group/sender-key-state.js). */
const SENDER_KEYS = Buffer.from('[{"senderKeyId":');
const NO_SENDER_KEYS = Buffer.from('[]');

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value);
}

function isSenderKeys(value: unknown): boolean {
  if (!isBytes(value)) return false;
  return SENDER_KEYS.equals(value.subarray(0, SENDER_KEYS.length)) || NO_SENDER_KEYS.equals(value);
}

function isKeyPair(value: unknown): boolean {
  return isObject(value) && isBytes(value.public) && isBytes(value.private);
}

const CHECKS: { readonly [T in SignalType]: (value: unknown) => boolean } = {
  'pre-key': isKeyPair,
  // libsignal validates the content, and Baileys treats a record that libsignal refuses as missing.
  session: (value) => isObject(value) || isBytes(value),
  'sender-key': isSenderKeys,
  'sender-key-memory': isObject,
  'app-state-sync-key': (value) => isObject(value) && isBytes(value.keyData),
  'app-state-sync-version': (value) =>
    isObject(value) &&
    typeof value.version === 'number' &&
    isBytes(value.hash) &&
    isObject(value.indexValueMap),
  'lid-mapping': (value) => typeof value === 'string',
  'device-list': (value) => Array.isArray(value) && value.every((device) => typeof device === 'string'),
  tctoken: (value) => isObject(value) && isBytes(value.token),
  'identity-key': isBytes,
};

function isSignalType(type: string): type is SignalType {
  return Object.hasOwn(CHECKS, type);
}

/** Returns the type of a Signal record from its field name, `<type>:<id>`. Undefined for any other field. */
export function signalTypeOf(field: string): SignalType | undefined {
  const type = field.slice(0, Math.max(0, field.indexOf(':')));
  return isSignalType(type) ? type : undefined;
}

/** Whether a value has the form in which Baileys stores records of the type. */
export function isOfSignalType(type: SignalType, value: unknown): boolean {
  return CHECKS[type](value);
}

/**
 * Whether stored credentials have everything a connection needs: the keys to log in and to decrypt with and, once they
 * are linked, the account's id. Baileys accepts incomplete ones, and later fails in ways that do not show the cause.
 */
export function isCredentials(value: unknown): value is AuthenticationCreds {
  if (!isObject(value) || !isKeyPair(value.noiseKey) || !isKeyPair(value.signedIdentityKey)) return false;
  const { me, account } = value;
  if (me === undefined) return account === undefined;
  return isObject(me) && typeof me.id === 'string' && me.id.includes('@');
}
