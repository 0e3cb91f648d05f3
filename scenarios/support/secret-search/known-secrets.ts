import { Cipher, decodeAuthValue, SealedValueError } from '@wafleet/store';
import { credentialSecrets } from './credential-secrets.js';
import { messageSecrets } from './message-secrets.js';
import { type RedisWrite, redisWrites } from './redis-writes.js';
import { type Secret, type SecretKind, SHORTEST_SECRET } from './secret-index.js';

/** If there are more pre-keys, only some of each session are searched for: opening all would take seconds. */
const PRE_KEYS_AT_MOST = 20_000;

/** Variables with secrets that must not leave the process. */
const SECRET_VARIABLE = /KEY|TOKEN|SECRET|PASSWORD/;
/** A public key by which a worker recognises WhatsApp. */
const PUBLIC_VARIABLES: ReadonlySet<string> = new Set(['WHATSAPP_ROOT_KEY']);

/** Commands that write values. `SET` has its value in the place where the others have a field. */
const WRITES: ReadonlySet<string> = new Set(['HSET', 'HMSET', 'HSETNX', 'SET']);
const SEALED = /^wf:\{([^}]+)\}:(auth|messages):(.+)$/;
const PAIRING_CODE = /^wf:\{[^}]+\}:pairing:/;
const EDGE = /^wf:edge:/;
const INBOX = /^wf:\{workers\}:inbox:/;
const SIGNATURE = /"signature":"([\w+/-]{20,}=*)"/g;

/** Secrets that edges send to clients. */
const TOLD_SECRETS: readonly {
  kind: SecretKind;
  name: string;
  pattern: RegExp;
  /** What the text that the pattern finds stands for. Default: itself. */
  bytesOf?: (text: string) => Buffer;
}[] = [
  { kind: 'api-key', name: 'an API key', pattern: /"key":"(wf_[\w-]{43})"/g },
  {
    kind: 'resume-secret',
    name: 'the secret by which a client comes back',
    pattern: /"pid":"([\w-]{20,})"/g,
  },
  {
    kind: 'passkey-challenge',
    name: 'the challenge of a passkey',
    pattern: /"challenge":"([\w-]{20,})"/g,
    bytesOf: (text) => Buffer.from(text, 'base64url'),
  },
  {
    kind: 'passkey-code',
    name: 'the code of a link by passkey',
    pattern: /"code":"([0-9A-Z]{4}-[0-9A-Z]{4})"/g,
  },
  {
    kind: 'passkey-token',
    name: 'the token of a helper link',
    pattern: /#wafleet-passkey=([\w-]{20,})/g,
    bytesOf: tokenOfLink,
  },
  { kind: 'connection-id', name: 'the id of an Engine.IO connection', pattern: /0\{"sid":"([^"]{20,})"/g },
];

/** The secrets of a run, as far as they are known. */
export interface KnownSecrets {
  readonly secrets: readonly Secret[];
  /** Sealed values that no ENCRYPTION_KEY of a process opened, because they are damaged. */
  readonly unreadable: number;
  /** Pre-keys that were not opened, because there were too many. */
  readonly leftOut: number;
}

/** A sealed value as it was written to Redis. */
interface SealedValue {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly store: 'auth' | 'messages';
  readonly field: string;
  readonly value: Buffer;
}

/**
 * Returns all secrets that were in Redis at any time: each version of each session's credentials, including deleted
 * sessions, opened with the processes' keys.
 * @param files append-only files.
 * @throws if there were credentials and none of them could be opened.
 */
export function storedSecrets(
  files: readonly Buffer[],
  environments: readonly Readonly<Record<string, string>>[],
): KnownSecrets {
  const writes = files.flatMap((file) =>
    [...redisWrites(file)].filter(({ command, key }) => WRITES.has(command) || INBOX.test(key)),
  );
  const keys = environments.flatMap(({ ENCRYPTION_KEY = '' }) => ENCRYPTION_KEY.split(',')).filter(isKey);
  const sealed = writes.flatMap(sealedValues);
  const { chosen, leftOut } = withFewerPreKeys(sealed);
  const secrets = writes.flatMap(plainSecrets);
  if (chosen.length === 0) return { secrets, unreadable: 0, leftOut };

  const cipher = Cipher.fromHexKeys([...new Set(keys)].join(','));
  const scopes = new Map<string, ReturnType<Cipher['sessionScope']>>();
  let unreadable = 0;
  for (const { tenantId, sessionId, store, field, value } of chosen) {
    const owner = `${tenantId}/${sessionId}`;
    const scope = scopes.get(owner) ?? cipher.sessionScope({ tenantId, sessionId });
    scopes.set(owner, scope);
    try {
      if (store === 'messages') secrets.push(...messageSecrets(scope.open(value, `message ${field}`), owner));
      else if (field.startsWith('inbox:')) {
        secrets.push(...inboxSecrets(decodeAuthValue(scope.open(value, field)), owner));
      } else secrets.push(...credentialSecrets(field, decodeAuthValue(scope.open(value, field)), owner));
    } catch (error) {
      if (!(error instanceof SealedValueError)) throw error;
      unreadable += 1;
    }
  }
  if (unreadable === chosen.length) {
    throw new Error('no ENCRYPTION_KEY of a process opens what is stored, so the secrets are unknown');
  }
  return { secrets, unreadable, leftOut };
}

function isKey(text: string): boolean {
  return /^[0-9a-fA-F]{64}$/.test(text);
}

function* pairsOf({ args }: RedisWrite): Generator<[field: string, value: Buffer]> {
  for (let index = 0; index + 1 < args.length; index += 2) {
    const [field, value] = args.slice(index, index + 2);
    if (field !== undefined && value !== undefined) yield [field.toString(), value];
  }
}

function sealedValues(write: RedisWrite): SealedValue[] {
  const [, tenantId, store, name] = SEALED.exec(write.key) ?? [];
  if (tenantId === undefined || name === undefined) return [];
  if (store === 'auth') {
    return [...pairsOf(write)].map(([field, value]) => ({ tenantId, sessionId: name, store, field, value }));
  }
  const sessionId = name.slice(0, name.lastIndexOf(':'));
  return [...pairsOf(write)].map(([field, value]) => {
    return { tenantId, sessionId, store: 'messages', field, value };
  });
}

/** Keeps about the same share of each session's pre-keys. */
function withFewerPreKeys(sealed: readonly SealedValue[]): { chosen: SealedValue[]; leftOut: number } {
  const isPreKey = ({ store, field }: SealedValue) => store === 'auth' && field.startsWith('pre-key:');
  const preKeys = sealed.filter(isPreKey);
  const each = Math.ceil(preKeys.length / PRE_KEYS_AT_MOST);
  const kept = preKeys.filter((_, index) => index % Math.max(1, each) === 0);
  const others = sealed.filter((value) => !isPreKey(value));
  return { chosen: [...others, ...kept], leftOut: preKeys.length - kept.length };
}

/** Secrets that Redis has unsealed: those that are shown to their owner, and those by which edges trust each other. */
function plainSecrets(write: RedisWrite): Secret[] {
  if (INBOX.test(write.key)) return write.args.flatMap((arg) => [...signaturesIn(arg)]);
  if (PAIRING_CODE.test(write.key)) {
    const codes = [...pairsOf(write)].filter(([field]) => field === 'code');
    return codes.map(([, bytes]) => ({ name: 'a pairing code', owner: '', kind: 'pairing-code', bytes }));
  }
  const [token] = EDGE.test(write.key)
    ? (/"token":"([^"]+)"/.exec(write.args[0]?.toString() ?? '') ?? []).slice(1)
    : [];
  return token === undefined
    ? []
    : [
        {
          name: 'the token of an edge for other edges',
          owner: '',
          kind: 'peer-token',
          bytes: Buffer.from(token),
        },
      ];
}

/** What passkeys have signed, in commands on their way to a worker. */
function* signaturesIn(command: Buffer): Generator<Secret> {
  for (const [, signature = ''] of command.toString('latin1').matchAll(SIGNATURE)) {
    const bytes = Buffer.from(signature, 'base64url');
    yield { name: 'the signature of a passkey', owner: '', kind: 'passkey-signature', bytes };
  }
}

function* inboxSecrets(row: unknown, owner: string): Generator<Secret> {
  if (typeof row !== 'object' || row === null || !('plaintexts' in row)) return;
  for (const plaintext of Object.values(row.plaintexts ?? {})) {
    if (plaintext instanceof Uint8Array) yield* messageSecrets(Buffer.from(plaintext), owner);
  }
}

/** The secrets that a process was given. */
export function* environmentSecrets(
  process: string,
  environment: Readonly<Record<string, string>>,
): Generator<Secret> {
  for (const [variable, value] of Object.entries(environment)) {
    const password = /^[a-z+]+:\/\/[^/@]*:([^/@]+)@/.exec(value)?.[1];
    if (password !== undefined)
      yield* ofEnvironment(`the password in ${variable}`, process, decodeURIComponent(password));
    else if (SECRET_VARIABLE.test(variable) && !PUBLIC_VARIABLES.has(variable)) {
      for (const each of value.split(',')) yield* ofEnvironment(variable, process, each);
    }
  }
}

function* ofEnvironment(name: string, owner: string, value: string): Generator<Secret> {
  const bytes = isKey(value) ? Buffer.from(value, 'hex') : Buffer.from(value);
  if (bytes.length >= SHORTEST_SECRET) yield { name, owner, kind: 'environment', bytes };
}

/** The secrets that edges sent to clients in these bytes. */
export function* toldSecrets(received: Buffer): Generator<Secret> {
  const text = received.toString('latin1');
  for (const { kind, name, pattern, bytesOf = (secret: string) => Buffer.from(secret) } of TOLD_SECRETS) {
    for (const [, secret = ''] of text.matchAll(pattern))
      yield { name, owner: '', kind, bytes: bytesOf(secret) };
  }
}

/** The token in the fragment of a helper link. */
function tokenOfLink(fragment: string): Buffer {
  const [, token = ''] = /"t":"([\w-]+)"/.exec(Buffer.from(fragment, 'base64url').toString()) ?? [];
  return Buffer.from(token);
}
