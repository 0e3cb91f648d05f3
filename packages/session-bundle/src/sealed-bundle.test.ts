import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { BUNDLE_LIMITS } from './limits.js';
import { type ReadSession, readForeignSession } from './read-session.js';
import {
  isBundle,
  newBundleKey,
  openBundle,
  readBundleHeader,
  readBundleKey,
  sealBundle,
  writeBundleKey,
} from './sealed-bundle.js';
import { makeUsedSessions } from './testing/used-session.js';

const passphrase = 'correct horse battery';
let read: ReadSession;
let bundle: Buffer;

beforeAll(async () => {
  const [anna] = await makeUsedSessions();
  read = await readForeignSession('baileys', anna.files);
  bundle = await sealBundle(read.session, await newBundleKey({ passphrase }));
});

describe('a bundle', () => {
  it('opens with its passphrase to the same session', async () => {
    expect((await openBundle(bundle, { passphrase })).session).toEqual(read.session);
  });

  it('opens with a key of 32 bytes', async () => {
    const key = randomBytes(32);
    const sealed = await sealBundle(read.session, readBundleKey(writeBundleKey(await newBundleKey({ key }))));
    expect((await openBundle(sealed, { key })).session).toEqual(read.session);
    await expect(openBundle(sealed, { passphrase })).rejects.toMatchObject({ problem: 'not-opened' });
  });

  it('says when it was made and for what device, and nothing secret', () => {
    expect(readBundleHeader(bundle)).toMatchObject({ device: read.device, kdf: { name: 'scrypt' } });
    const front = bundle.subarray(0, 200).toString('latin1');
    expect(front).not.toContain(read.session.creds.noiseKey.private.toString('base64').slice(0, 12));
    expect(bundle.includes(read.session.creds.noiseKey.private)).toBe(false);
  });

  it('does not open with another passphrase or key', async () => {
    for (const secret of [{ passphrase: 'another one' }, { key: randomBytes(32) }]) {
      await expect(openBundle(bundle, secret)).rejects.toMatchObject({ problem: 'not-opened' });
    }
  });

  it('does not open if a byte was changed, in the header as well', async () => {
    const places = [30, 60, 120, bundle.length >> 1, bundle.length - 1];
    for (const place of places) {
      const changed = Buffer.from(bundle);
      changed[place] = changed.readUInt8(place) ^ 1;
      await expect(openBundle(changed, { passphrase })).rejects.toMatchObject({
        problem: expect.stringMatching(/^not-(opened|a-bundle)$/),
      });
    }
  });

  it('is not made of what no import would take, and none of a session without a phone', async () => {
    const key = await newBundleKey({ key: randomBytes(32) });
    const { creds } = read.session;
    const many = (count: number) => {
      const ids = Array.from({ length: count }, (_, index) => [String(index), 'x'] as const);
      return { creds, keys: new Map([['lid-mapping', new Map<string, unknown>(ids)]]) };
    };
    const tooLarge = { problem: 'too-large' };
    await expect(sealBundle(many(BUNDLE_LIMITS.records), key)).rejects.toMatchObject(tooLarge);
    const heavy = new Map([
      ['session', new Map<string, unknown>([['1.0', 'x'.repeat(BUNDLE_LIMITS.bytes)]])],
    ]);
    await expect(sealBundle({ creds, keys: heavy }, key)).rejects.toMatchObject(tooLarge);
    const { me: _, ...unlinked } = creds;
    const notLinked = { problem: 'not-linked' };
    await expect(sealBundle({ creds: unlinked, keys: new Map() }, key)).rejects.toMatchObject(notLinked);
  });

  it('of as many records as a session may have is opened again', async () => {
    const key = randomBytes(32);
    const pairs = Array.from({ length: (BUNDLE_LIMITS.records - 2) / 2 }, (_, index) => {
      const [pn, lid] = [String(20_000_000_000 + index), String(30_000_000_000 + index)];
      return [[pn, lid] as const, [`${lid}_reverse`, pn] as const];
    });
    const keys = new Map([['lid-mapping', new Map<string, unknown>(pairs.flat())]]);
    const sealed = await sealBundle({ creds: read.session.creds, keys }, await newBundleKey({ key }));
    const opened = await openBundle(sealed, { key });
    expect(opened.session.keys.get('lid-mapping')?.size).toBe(BUNDLE_LIMITS.records - 2);
  });

  it('is not mistaken for anything else', async () => {
    expect(isBundle(Buffer.from('{"noiseKey":1}'))).toBe(false);
    for (const bytes of [Buffer.alloc(0), randomBytes(500), bundle.subarray(0, 40)]) {
      await expect(openBundle(bytes, { passphrase })).rejects.toMatchObject({ problem: 'not-a-bundle' });
    }
  });
});
