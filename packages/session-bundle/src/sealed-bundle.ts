import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { z } from 'zod';
import { Breaks } from './breaks.js';
import { BundleError } from './bundle-error.js';
import type { FoundRecord } from './containers.js';
import { deviceOf } from './credentials.js';
import { BUNDLE_LIMITS } from './limits.js';
import { Notes } from './linked-session.js';
import { type ReadOptions, type ReadSession, readRecords } from './read-session.js';
import { parseRecordName } from './record-names.js';
import { asFields, asText } from './values.js';

/** The first bytes of each bundle, and the version of its format. */
const MAGIC = Buffer.from('WAFLEET-SESSION\0', 'latin1');
const VERSION = 1;
const LENGTH_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_HEADER_BYTES = 1024;
const ALGORITHM = 'aes-256-gcm';
/** 32 MiB of memory and about a tenth of a second for each guess. Belongs to the version of the format. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** How the key of a bundle is found. */
const kdfSchema = z.discriminatedUnion('name', [
  z.object({ name: z.literal('scrypt'), salt: z.base64().length(24) }),
  z.object({ name: z.literal('none') }),
]);

const keySchema = z.object({ bytes: z.base64().length(44), kdf: kdfSchema });

const headerSchema = z.object({
  createdAt: z.iso.datetime(),
  device: z.string().max(32),
  kdf: kdfSchema,
});

/** What a bundle says about itself without its key. Authenticated: a changed header does not open. */
export interface BundleHeader {
  /** When it was made, by the clock of the cluster that made it. */
  readonly createdAt: string;
  /** `<number>:<device>` of the linked device. */
  readonly device: string;
  /** `scrypt`: from a passphrase. `none`: the key itself is needed. */
  readonly kdf: { readonly name: 'scrypt'; readonly salt: string } | { readonly name: 'none' };
}

/** A session as a bundle takes it: credentials and Signal records in the form of Baileys 7. */
export interface SealableSession {
  readonly creds: object;
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
}

/** What opens a bundle. */
export type BundleSecret = { readonly passphrase: string } | { readonly key: Uint8Array };

/** A key that seals a bundle, and how it can be found again. Contains the secret. */
export interface BundleKey {
  /** 32 bytes. */
  readonly bytes: Buffer;
  readonly kdf: BundleHeader['kdf'];
}

/** Makes the key of a new bundle. A passphrase gets a random salt. */
export async function newBundleKey(secret: BundleSecret): Promise<BundleKey> {
  if ('key' in secret) return { bytes: Buffer.from(secret.key), kdf: { name: 'none' } };
  const salt = randomBytes(SALT_BYTES).toString('base64');
  const kdf = { name: 'scrypt', salt } as const;
  return { bytes: await derive(secret.passphrase, salt), kdf };
}

/** A bundle's key as bytes, for a process that is to seal. Contains the secret. */
export function writeBundleKey({ bytes, kdf }: BundleKey): Buffer {
  return Buffer.from(JSON.stringify({ bytes: bytes.toString('base64'), kdf }));
}

/** @throws {Error} if the bytes are not of `writeBundleKey`. */
export function readBundleKey(written: Buffer): BundleKey {
  const { bytes, kdf } = keySchema.parse(JSON.parse(written.toString()));
  return { bytes: Buffer.from(bytes, 'base64'), kdf };
}

/**
 * Seals a session, in small steps: AES-256-GCM, the header authenticated with it. Nothing outside of the ciphertext is
 * secret.
 * @throws {BundleError} not-linked; too-large for a bundle that no import would take.
 */
export async function sealBundle(
  session: SealableSession,
  { bytes, kdf }: BundleKey,
  { createdAt = new Date() }: { createdAt?: Date } = {},
): Promise<Buffer> {
  const header: BundleHeader = { createdAt: createdAt.toISOString(), device: requireDevice(session), kdf };
  const text = Buffer.from(JSON.stringify(header));
  const front = Buffer.concat([MAGIC, Buffer.of(VERSION), lengthOf(text), text, randomBytes(NONCE_BYTES)]);
  const cipher = createCipheriv(ALGORITHM, bytes, front.subarray(-NONCE_BYTES));
  cipher.setAAD(front);
  const parts = [front];
  let [records, length] = [0, front.length + TAG_BYTES + 1];
  const breaks = new Breaks();
  for (const text of textOf(session)) {
    await breaks.next();
    const part = cipher.update(text);
    parts.push(part);
    [records, length] = [records + 1, length + part.length];
    if (records > BUNDLE_LIMITS.records || length > BUNDLE_LIMITS.bytes) {
      throw new BundleError('too-large', '', 'The session is larger than a bundle may be.');
    }
  }
  return Buffer.concat([...parts, cipher.update('}'), cipher.final(), cipher.getAuthTag()]);
}

function requireDevice({ creds }: SealableSession): string {
  const { me, account } = asFields(creds) ?? {};
  const { device } = deviceOf(asText(asFields(me)?.id) ?? '') ?? {};
  if (device === undefined || account === undefined || account === null) {
    throw new BundleError('not-linked', 'creds', 'These credentials are not linked to a phone.');
  }
  return device;
}

/** Whether bytes begin as a bundle does. */
export function isBundle(bytes: Uint8Array): boolean {
  return MAGIC.equals(bytes.subarray(0, MAGIC.length));
}

/** Reads what a bundle says about itself, not yet authenticated. @throws {BundleError} not-a-bundle, too-large. */
export function readBundleHeader(bytes: Uint8Array): BundleHeader {
  return split(bytes).header;
}

/**
 * Opens a bundle, and checks the session in it as one of another gateway is checked.
 * @throws {BundleError} not-a-bundle, not-opened, too-large, and those of `readForeignSession`.
 */
export async function openBundle(
  bytes: Uint8Array,
  secret: BundleSecret,
  options: ReadOptions = {},
): Promise<ReadSession> {
  const { header, front, sealed } = split(bytes);
  const key = await keyOf(header, secret);
  const decipher = createDecipheriv(ALGORITHM, key, front.subarray(-NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(front);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  let text: string;
  try {
    const plain = [decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()];
    text = Buffer.concat(plain).toString();
  } catch {
    throw new BundleError(
      'not-opened',
      '',
      'The passphrase or key is another one, or the bundle is damaged.',
    );
  }
  return readRecords(recordsIn(text), { ...options, notes: new Notes() });
}

function split(given: Uint8Array): { header: BundleHeader; front: Buffer; sealed: Buffer } {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  if (bytes.length > BUNDLE_LIMITS.bytes) {
    throw new BundleError('too-large', '', 'The bundle is larger than a session is.');
  }
  const lengthAt = MAGIC.length + 1;
  const headerAt = lengthAt + LENGTH_BYTES;
  if (!isBundle(bytes) || bytes.length < headerAt) throw notABundle('It does not begin as a bundle.');
  if (bytes[MAGIC.length] !== VERSION) throw notABundle('It was made by a release with another format.');
  const end = headerAt + bytes.readUInt32BE(lengthAt) + NONCE_BYTES;
  if (end > headerAt + MAX_HEADER_BYTES || bytes.length < end + TAG_BYTES) throw notABundle('It is cut off.');
  const header = headerSchema.safeParse(parsed(bytes.toString('utf8', headerAt, end - NONCE_BYTES)));
  if (!header.success) throw notABundle('Its header cannot be read.');
  return { header: header.data, front: bytes.subarray(0, end), sealed: bytes.subarray(end) };
}

function notABundle(message: string): BundleError {
  return new BundleError('not-a-bundle', '', message);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function keyOf({ kdf }: BundleHeader, secret: BundleSecret): Promise<Uint8Array> {
  if (kdf.name === 'none') {
    if ('key' in secret) return secret.key;
    throw new BundleError('not-opened', '', 'The bundle is sealed with a key, not with a passphrase.');
  }
  if ('passphrase' in secret) return derive(secret.passphrase, kdf.salt);
  throw new BundleError('not-opened', '', 'The bundle is sealed with a passphrase, not with a key.');
}

function derive(passphrase: string, salt: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), KEY_BYTES, SCRYPT, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(bytes.length);
  return length;
}

/**
 * The JSON of the records of a session by the names that Baileys gives them, with bytes as base64: a text for each,
 * without the end of the object.
 */
function* textOf({ creds, keys }: SealableSession): Generator<string> {
  yield `{"creds":${JSON.stringify(withBase64(creds))}`;
  for (const [type, records] of keys) {
    for (const [id, record] of records) {
      yield `,${JSON.stringify(`${type}-${id}`)}:${JSON.stringify(withBase64(record))}`;
    }
  }
}

function withBase64(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return { type: 'Buffer', data: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(withBase64);
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withBase64(field)]));
}

function recordsIn(text: string): FoundRecord[] {
  const fields = asFields(parsed(text));
  if (fields === undefined) throw notABundle('Its content is not of a session.');
  const names = Object.keys(fields);
  if (names.length > BUNDLE_LIMITS.records) {
    throw new BundleError('too-large', '', 'There are more records than a session has.');
  }
  return names.flatMap((written) => {
    const name = parseRecordName(written, 'plain');
    if (written !== 'creds' && name === undefined) return [];
    return [{ name, value: fields[written], isRow: false }];
  });
}
