import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
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
  bundle = sealBundle(sealable(), await newBundleKey({ passphrase }));
});

function sealable() {
  return { device: read.device, ...read.session };
}

describe('a bundle', () => {
  it('opens with its passphrase to the same session', async () => {
    expect((await openBundle(bundle, { passphrase })).session).toEqual(read.session);
  });

  it('opens with a key of 32 bytes', async () => {
    const key = randomBytes(32);
    const sealed = sealBundle(sealable(), readBundleKey(writeBundleKey(await newBundleKey({ key }))));
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

  it('is not mistaken for anything else', async () => {
    expect(isBundle(Buffer.from('{"noiseKey":1}'))).toBe(false);
    for (const bytes of [Buffer.alloc(0), randomBytes(500), bundle.subarray(0, 40)]) {
      await expect(openBundle(bytes, { passphrase })).rejects.toMatchObject({ problem: 'not-a-bundle' });
    }
  });
});
