import { beforeAll, describe, expect, it } from 'vitest';
import { BundleError } from './bundle-error.js';
import type { SourceFiles, SourceFormat } from './containers.js';
import { BUNDLE_LIMITS } from './limits.js';
import { type ReadSession, readForeignSession } from './read-session.js';
import { newBundleKey, sealBundle } from './sealed-bundle.js';
import { makeUsedSessions, type UsedSession } from './testing/used-session.js';
import {
  baileys6,
  evolutionFiles,
  evolutionHash,
  evolutionLines,
  evolutionMixed,
  type Folder,
  wahaFolder,
  wahaMongo,
  wahaPostgres,
} from './testing/written-formats.js';

let anna: UsedSession;
let bert: UsedSession;
let expected: ReadSession;

beforeAll(async () => {
  [anna, bert] = await makeUsedSessions();
  expected = await readForeignSession('baileys', anna.files);
});

/** The files with the JSON of one changed. */
function withChanged(file: string, change: (value: Record<string, unknown>) => unknown): Folder {
  const value: Record<string, unknown> = JSON.parse(anna.files[file] ?? '{}');
  const changed = change(value);
  return { ...anna.files, [file]: JSON.stringify(changed === undefined ? value : changed) };
}

function withCreds(change: (creds: Record<string, unknown>) => unknown): Folder {
  return withChanged('creds.json', change);
}

function fileOf(type: string): string {
  const found = Object.keys(anna.files).find((name) => name.startsWith(`${type}-`));
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found;
}

/** Counts the turns of the event loop. */
function countTurns() {
  let count = -1;
  let next: NodeJS.Immediate | undefined;
  const turn = () => {
    count += 1;
    next = setImmediate(turn);
  };
  turn();
  return {
    taken: () => count,
    end: () => {
      clearImmediate(next);
      return count;
    },
  };
}

/** To whom the keys of a group were sent. */
function members(count: number): Record<string, true> {
  return Object.fromEntries(Array.from({ length: count }, (_, id) => [`${1e9 + id}:1@lid`, true]));
}

async function problemOf(files: SourceFiles, format: SourceFormat = 'baileys'): Promise<string> {
  try {
    await readForeignSession(format, files);
    return 'none';
  } catch (error) {
    if (error instanceof BundleError) return `${error.problem} ${error.path}`.trim();
    throw error;
  }
}

describe('a session that plain Baileys wrote', () => {
  it('is read completely, without a note', () => {
    expect(expected.notes).toEqual({});
    expect(expected.device).toBe(`${anna.phone}:1`);
    const files = Object.keys(anna.files).length - 1;
    const records = [...expected.session.keys.values()].reduce((sum, { size }) => sum + size, 0);
    expect(records).toBe(files);
  });

  it('is read and sealed in steps, between which the process does other work', async () => {
    const turns = countTurns();
    const { session } = await readForeignSession('baileys', anna.files);
    // One for each fifty files, and for each fifty records and pre-keys.
    const atLeast = Math.floor(Object.keys(anna.files).length / 50);
    expect(turns.taken()).toBeGreaterThanOrEqual(3 * atLeast - 2);
    await sealBundle(session, await newBundleKey({ key: Buffer.alloc(32) }));
    expect(turns.end()).toBeGreaterThanOrEqual(4 * atLeast - 3);
  });

  it('lets other work run between large records, however few they are', async () => {
    const large = Array.from({ length: 8 }, (_, id) => [
      `sender-key-memory-49${id}@g.us.json`,
      members(BUNDLE_LIMITS.values),
    ]);
    const files = { 'creds.json': anna.files['creds.json'], ...Object.fromEntries(large) };
    const turns = countTurns();
    await readForeignSession('baileys', files);
    expect(turns.end()).toBeGreaterThanOrEqual(large.length);
  });

  it('has its bytes as bytes, also those of protobuf messages', () => {
    const { account, noiseKey } = expected.session.creds;
    expect([account.accountSignature.length, account.accountSignatureKey.length]).toEqual([64, 32]);
    expect(noiseKey.private).toHaveLength(32);
    const [key] = expected.session.keys.get('app-state-sync-key')?.values() ?? [];
    expect(key).toMatchObject({ keyData: expect.any(Buffer), timestamp: expect.any(Number) });
  });

  it('leaves the routing information to the next login', () => {
    expect(anna.files['creds.json']).toContain('routingInfo');
    expect(expected.session.creds).not.toHaveProperty('routingInfo');
  });

  it.each([
    ['Evolution API with Redis', 'evolution', evolutionHash],
    ['Evolution API with Redis, as lines', 'evolution', evolutionLines],
    ['Evolution API with a database and files', 'evolution', evolutionFiles],
    ['Evolution API with a database and Redis', 'evolution', evolutionMixed],
    ['a folder of WAHA', 'waha', wahaFolder],
  ] as const)('is the same from %s', async (_name, format, write) => {
    const { session } = await readForeignSession(format, write(anna.files));
    // Generated if it is missing, and needed by no linked session.
    expect(session).toEqual(expected.session);
  });

  it.each([
    ['Postgres', wahaPostgres],
    ['MongoDB', wahaMongo],
  ])('is the same from %s of WAHA', async (_name, write) => {
    const read = await readForeignSession('waha', write(anna.files));
    expect(read.notes).toEqual({});
    expect(read.session).toEqual(expected.session);
  });

  it('is taken from values that are JSON already', async () => {
    const parsed = Object.entries(anna.files).map(([name, text]) => [name, JSON.parse(text)]);
    expect((await readForeignSession('baileys', Object.fromEntries(parsed))).session).toEqual(
      expected.session,
    );
  });

  it('is taken from Redis if the query for the credentials in the database found none', async () => {
    const read = await readForeignSession('evolution', { ...evolutionHash(anna.files), 'creds.txt': '\n' });
    expect(read.session).toEqual(expected.session);
  });

  it('gets the newest of two copies of its credentials', async () => {
    const older = withCreds((creds) => ({ ...creds, nextPreKeyId: 2 }))['creds.json'] ?? '';
    const files = { ...evolutionHash(anna.files), 'creds.txt': JSON.stringify(older) };
    const { session, notes } = await readForeignSession('evolution', files);
    expect(session.creds.nextPreKeyId).toBe(expected.session.creds.nextPreKeyId);
    expect(notes).toEqual({ 'older-credentials': 1 });
  });
});

describe('a session of Baileys 6', () => {
  it('gets the records that Baileys 7 looks for', async () => {
    const { session, notes } = await readForeignSession('baileys', baileys6(anna.files));
    expect(notes).toMatchObject({ 'sender-keys-converted': 2, 'devices-listed': 2 });
    expect(session.keys.get('sender-key')).toEqual(expected.session.keys.get('sender-key'));
    expect(session.keys.get('device-list')?.get(anna.phone)).toEqual(['0', '1']);
  });

  it('has its Signal sessions under the LIDs that are known', async () => {
    const pairs = Object.entries(anna.files).filter(([name]) => name.startsWith('lid-mapping-'));
    const half = pairs.filter(([name]) => !name.includes('_reverse'));
    const files = { ...baileys6(anna.files), ...Object.fromEntries(half) };
    const { session, notes } = await readForeignSession('baileys', files);
    expect(notes).toMatchObject({ 'moved-to-lid': 3, 'pairs-completed': 2 });
    expect(session.keys.get('session')).toEqual(expected.session.keys.get('session'));
    expect(session.keys.get('lid-mapping')).toEqual(expected.session.keys.get('lid-mapping'));
  });

  it('may have bytes as lists, or marked with `buffer`', async () => {
    const asList = (_name: string, value: unknown): unknown => {
      const isBuffer = typeof value === 'object' && value !== null && 'type' in value && 'data' in value;
      if (!isBuffer) return value;
      return { buffer: true, value: [...Buffer.from(String(value.data), 'base64')] };
    };
    const changed = Object.entries(anna.files).map(([name, text]) => [
      name,
      JSON.stringify(JSON.parse(text), asList),
    ]);
    expect((await readForeignSession('baileys', Object.fromEntries(changed))).session).toEqual(
      expected.session,
    );
  });
});

describe('what cannot be imported', () => {
  it.each<[string, () => SourceFiles, string]>([
    ['no credentials', () => ({ 'pre-key-1.json': '{}' }), 'no-credentials creds'],
    ['an empty file', () => ({ ...anna.files, 'creds.json': '' }), 'not-json creds'],
    ['a truncated file', () => ({ 'creds.json': anna.files['creds.json']?.slice(0, 900) }), 'not-json creds'],
    ['an empty object', () => ({ 'creds.json': '{}' }), 'not-linked creds.me'],
    ['a list', () => ({ 'creds.json': '[]' }), 'malformed creds'],
    [
      'a half link',
      () => withCreds((creds) => ({ ...creds, account: undefined })),
      'not-linked creds.account',
    ],
    [
      "a phone's id",
      () => withCreds((creds) => ({ ...creds, me: { id: `${anna.phone}@s.whatsapp.net` } })),
      'malformed creds.me.id',
    ],
    ['no noise key', () => withCreds((creds) => ({ ...creds, noiseKey: {} })), 'malformed creds.noiseKey'],
    [
      "another session's noise key",
      () => withCreds((creds) => ({ ...creds, noiseKey: halvesOf('noiseKey', creds) })),
      'key-mismatch creds.noiseKey',
    ],
    [
      "another session's identity",
      () => withCreds((creds) => ({ ...creds, signedIdentityKey: credsOfBert().signedIdentityKey })),
      'signature-invalid creds.account.accountSignature',
    ],
    [
      "another account's signature",
      () => withCreds((creds) => ({ ...creds, account: credsOfBert().account })),
      'signature-invalid creds.account.accountSignature',
    ],
    [
      'no registration id',
      () => withCreds((creds) => ({ ...creds, registrationId: 'x' })),
      'malformed creds.registrationId',
    ],
    [
      'a deep object',
      () => withCreds((creds) => ({ ...creds, accountSettings: deep(40) })),
      'too-large creds',
    ],
    [
      'credentials of too many values',
      () => withCreds((creds) => ({ ...creds, signalIdentities: Array(BUNDLE_LIMITS.values).fill(0) })),
      'too-large creds',
    ],
    [
      'credentials of two accounts',
      () => ({ ...evolutionHash(anna.files), 'creds.json': bert.files['creds.json'] }),
      'several-accounts creds',
    ],
  ])('%s', async (_name, files, problem) => {
    const format = _name === 'credentials of two accounts' ? 'evolution' : 'baileys';
    expect(await problemOf(files(), format)).toBe(problem);
  });

  it("records of another account's session", async () => {
    const own = Object.entries(bert.files).filter(([name]) => /^session-\d+_1\.0\.json$/.test(name));
    const mine = `session-${lidOf(expected)}_1.0.json`;
    const foreign = own.map(([, text]) => text).find((text) => text !== anna.files[mine]);
    expect(await problemOf({ ...anna.files, [mine]: foreign })).toMatch(/^several-accounts session-/);
  });

  it('more than a session has', async () => {
    const many = Array.from({ length: BUNDLE_LIMITS.records + 1 }, (_, id) => [`pre-key-${id}.json`, {}]);
    expect(await problemOf(Object.fromEntries(many))).toBe('too-large');
    expect(await problemOf({ 'creds.json': ' '.repeat(BUNDLE_LIMITS.bytes + 1) })).toBe('too-large');
  });

  it('more credentials and more lines than a store has', async () => {
    const creds = Array.from({ length: 5 }, (_, id) => [`${id}/creds.json`, anna.files['creds.json']]);
    expect(await problemOf(Object.fromEntries(creds))).toBe('several-accounts creds');
    const lines = { 'hash.txt': '\n'.repeat(2 * BUNDLE_LIMITS.records + 10) };
    expect(await problemOf(lines, 'evolution')).toBe('too-large');
  });

  it('a text of a million brackets', async () => {
    expect(await problemOf({ 'creds.json': '['.repeat(1_000_000) })).toBe('not-json creds');
    const closed = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
    expect(await problemOf({ 'creds.json': closed })).toBe('too-large creds');
  });

  it('says so without a value in its message', async () => {
    const secret = credsOf(anna).advSecretKey;
    const files = withCreds((creds) => ({
      ...creds,
      account: { ...account(creds), details: secret, accountSignature: secret },
    }));
    const error = await readForeignSession('baileys', files).catch((caught: unknown) => caught);
    expect(String(error)).not.toContain(secret);
  });
});

describe('what is repaired or left out', () => {
  it.each<[string, () => SourceFiles, Record<string, number>]>([
    [
      'a record of more values than any has',
      () => ({
        ...anna.files,
        'sender-key-memory-491@g.us.json': members(BUNDLE_LIMITS.values + 1),
        'sender-key-memory-492@g.us.json': JSON.stringify(members(BUNDLE_LIMITS.values + 1)),
      }),
      { malformed: 2 },
    ],
    [
      'the rest of an earlier text',
      () => ({ ...anna.files, 'creds.json': `${anna.files['creds.json']}":1}}` }),
      { repaired: 1 },
    ],
    ['a byte order mark', () => ({ ...anna.files, 'creds.json': `\ufeff${anna.files['creds.json']}` }), {}],
    [
      'a foreign file',
      () => ({ ...anna.files, 'store.json': '{}', 'creds.json.bak': '' }),
      { 'unknown-name': 2 },
    ],
    [
      'a truncated Signal session',
      () => ({ ...anna.files, [fileOf('session')]: '{"_sessions"' }),
      { malformed: 1 },
    ],
    [
      'a pre-key of another session',
      () => withChanged(fileOf('pre-key'), (pair) => ({ ...pair, public: credsOf(anna).noiseKey.public })),
      { 'key-mismatch': 1 },
    ],
    [
      'an identity key of somebody else',
      () => ({
        ...anna.files,
        [fileOf('identity-key')]: JSON.stringify({
          type: 'Buffer',
          data: Buffer.alloc(33, 5).toString('base64'),
        }),
      }),
      { malformed: 1 },
    ],
    [
      'a low counter',
      () => withCreds((creds) => ({ ...creds, nextPreKeyId: undefined })),
      { 'counters-repaired': 1 },
    ],
    [
      'no pre-keys',
      () => Object.fromEntries(Object.entries(anna.files).filter(([name]) => !name.startsWith('pre-key'))),
      { 'pre-keys-missing': 1 },
    ],
    [
      'the state of the app',
      () => ({
        ...anna.files,
        'app-state-sync-version-regular.json': JSON.stringify({
          version: 3,
          hash: Buffer.alloc(128),
          indexValueMap: {},
        }),
      }),
      { 'app-state-dropped': 1 },
    ],
    [
      'a useless key of the state',
      () =>
        withChanged(fileOf('app-state-sync-key'), (key) => ({
          ...key,
          keyData: Buffer.alloc(44).toString('base64'),
        })),
      { malformed: 1, 'counters-repaired': 1 },
    ],
  ])('%s', async (_name, files, notes) => {
    expect((await readForeignSession('baileys', files())).notes).toEqual(notes);
  });

  it('keeps the state of the app if that is wanted', async () => {
    const version = JSON.stringify({ version: 3, hash: Buffer.alloc(128), indexValueMap: {} });
    const files = { ...anna.files, 'app-state-sync-version-regular.json': version };
    const { session } = await readForeignSession('baileys', files, { keepAppState: true });
    expect(session.keys.get('app-state-sync-version')?.get('regular')).toMatchObject({ version: 3 });
  });

  it('never gives an id of a pre-key twice', async () => {
    const files = withCreds((creds) => ({ ...creds, nextPreKeyId: 5, firstUnuploadedPreKeyId: 5 }));
    const { session } = await readForeignSession('baileys', files);
    expect(session.creds.nextPreKeyId).toBe(expected.session.creds.nextPreKeyId);
  });

  it('takes over no name that changes objects', async () => {
    const text = anna.files['creds.json']?.replace(
      '{',
      '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},',
    );
    const { session } = await readForeignSession('baileys', { ...anna.files, 'creds.json': text });
    expect('isAdmin' in session.creds || 'isAdmin' in {}).toBe(false);
  });

  it('drops the Signal session with the own phone from rows of WAHA', async () => {
    const old = {
      ...anna.files,
      [`session-${anna.phone}.0.json`]: anna.files[`session-${lidOf(expected)}_1.0.json`] ?? '',
    };
    const { notes } = await readForeignSession('waha', wahaPostgres(old));
    expect(notes).toEqual({ 'own-session-dropped': 1 });
  });
});

interface SomeCreds {
  advSecretKey: string;
  noiseKey: { public: unknown; private: unknown };
  signedIdentityKey: unknown;
  account: Record<string, unknown>;
}

function credsOf({ files }: UsedSession): SomeCreds {
  return JSON.parse(files['creds.json'] ?? '{}');
}

function credsOfBert(): SomeCreds {
  return credsOf(bert);
}

function account({ account: signed }: Record<string, unknown>): object {
  return typeof signed === 'object' && signed !== null ? signed : {};
}

/** The private half of Anna's key with the public half of Bert's. */
function halvesOf(field: 'noiseKey', _creds: object): object {
  return { private: credsOf(anna)[field].private, public: credsOfBert()[field].public };
}

function deep(levels: number): object {
  return levels === 0 ? {} : { inner: deep(levels - 1) };
}

function lidOf({ session }: ReadSession): string {
  return session.creds.me.lid?.split(':')[0] ?? '';
}
