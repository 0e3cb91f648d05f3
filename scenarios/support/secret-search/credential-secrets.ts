import type { Secret } from './secret-index.js';

/** Keys have at least 128 bits. Shorter values are not keys, and occur in many places by chance. */
const SHORTEST_KEY = 16;

/** Types of Signal records without a secret of the session: public keys, names of devices, states of lists. */
const PUBLIC_TYPES: ReadonlySet<string> = new Set([
  'app-state-sync-version',
  'device-list',
  'identity-key',
  'lid-mapping',
  'sender-key-memory',
]);

/**
 * Public fields: public keys, and signatures, which are shown to those who verify them. All other bytes in credentials
 * count as secrets, so the search includes fields that a later version adds.
 */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  'accountSignature',
  'accountSignatureKey',
  'baseKey',
  'details',
  'deviceSignature',
  'fingerprint',
  'identifierKey',
  'lastRemoteEphemeralKey',
  'pubKey',
  'public',
  'remoteIdentityKey',
  'routingInfo',
  'signature',
]);

/** Other names in a path are addresses, numbers and keys of maps, which differ each time. */
const NAME = /^[A-Za-z_]{1,30}$/;

/**
 * The secrets in a stored value of a session's credentials.
 * @param field its name in Redis: `creds` or `<type>:<id>`.
 * @param value as `decodeAuthValue` gives it.
 * @param owner whose it is, for a person.
 */
export function* credentialSecrets(field: string, value: unknown, owner: string): Generator<Secret> {
  const [type = ''] = field.split(':');
  if (PUBLIC_TYPES.has(type)) return;
  for (const { path, bytes } of bytesIn(value, [])) {
    const place = path.map((name) => (NAME.test(name) ? name : '*'));
    yield {
      name: [type, ...place].join('.'),
      owner,
      kind: place.includes('advSecretKey') ? 'adv-secret' : 'credential',
      bytes,
    };
  }
}

function* bytesIn(
  value: unknown,
  path: readonly string[],
): Generator<{ path: readonly string[]; bytes: Buffer }> {
  if (value instanceof Uint8Array || isListOfBytes(value)) {
    const bytes = Buffer.from(value);
    const inner = parsedJson(bytes);
    if (inner !== undefined) yield* bytesIn(inner, path);
    else if (bytes.length >= SHORTEST_KEY) yield { path, bytes };
  } else if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    // libsignal's records have bytes as base64, and so has Baileys' secret for linking.
    const isBase64 = bytes.length >= SHORTEST_KEY && bytes.toString('base64') === value;
    if (isBase64) yield { path, bytes };
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      if (!PUBLIC_FIELDS.has(name)) yield* bytesIn(field, [...path, name]);
    }
  }
}

/** The bytes of a sender key, in the form that JSON has them. */
function isListOfBytes(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.length >= SHORTEST_KEY && value.every((each) => typeof each === 'number')
  );
}

/** The parsed bytes, if they are JSON, as those of a sender key are. */
function parsedJson(bytes: Buffer): unknown {
  if (bytes[0] !== '{'.charCodeAt(0) && bytes[0] !== '['.charCodeAt(0)) return undefined;
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
