import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { MediaFile } from '@wafleet/contract';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encryptedFile } from '../testing/media-host.js';
import { MediaDecryption } from './media-decryption.js';
import { encryptedLength } from './media-keys.js';

/** What Baileys 7.0.0-rc14 (`encryptedStream`) made of `the bytes of one <kind>`. */
const BY_BAILEYS: readonly (Pick<MediaFile, 'kind' | 'mediaKey' | 'sha256' | 'encryptedSha256'> & {
  blob: string;
})[] = [
  {
    kind: 'image',
    mediaKey: 'GGC/6WeIswQO9kLrnwuH9noEG0Sp/IpoYgfQtkvYczg=',
    sha256: 'v8Oyt+UaQZzTJ8fXVOmrFQRYLRthN3k1fUNn2v3M2YA=',
    encryptedSha256: 'pGUGXzcqjJiXmTwTjM/Q06nya/+n11QzRVL82eUWgNs=',
    blob: 'dyWZbQtZdZsB6gFdKRQ8fgsr0z4+FcTs7KjhCXt4E3CnALwT52d28pM4',
  },
  {
    kind: 'video',
    mediaKey: 'sUWf0E9f/jRGR3jrsjIbXKJ3T4phQtB9nR/YPZBM/Wg=',
    sha256: 'chRo82p5XYBK7N9xRq5ar9yTbZrXN50SwfipAWQAkzY=',
    encryptedSha256: 'iv32DDc7V3Z8knhBiqfnOKNmhnR/Ca13aX8CEBIuNx4=',
    blob: 'eysYWsePNb/7LXlAhLzBPbCF13NPk6ed6pfORK5dUldnSQFuGHmpx20A',
  },
  {
    kind: 'audio',
    mediaKey: 'i9LUSQ2KBAsvU97de1zZcRf2z8t3WEtufzse0QVdOH4=',
    sha256: 'FTvZcxDhuCYSEgmVk4LWanMt3nBYhy1b+af3w3jlx1Q=',
    encryptedSha256: 'rr0dKfEJ0IgREe9JB+CEgN0kway8Sk8b7jgpj9tPAWk=',
    blob: 'I3Q9EWFWXV0899N1Qp+ki30CAWu1Q+Sm3pKMZgT2tXZvGXPSXsARRx2h',
  },
  {
    kind: 'document',
    mediaKey: 'ffotabKhoxxxPlDzatmo8NkH41JAlR3I5iy6wjZAcwA=',
    sha256: 'QC7g15qBRE9y0yqX1/0239Owxv3UIHHYxkeb9sgh7yE=',
    encryptedSha256: 'WMU3ZZwNoaa2w21arf8afuGyxyUrZBeBOQ2T0u+adz8=',
    blob: 'R7xQHkqPoYVkH6w/pu2sOZPl3gfmEeEN0Iq84sSBLOcGFeeB066ptyrb',
  },
  {
    kind: 'sticker',
    mediaKey: 'DZwQ3QdHOiMh6py2/bYD8YBCAuqM2a1xqGmNMT7maNc=',
    sha256: '+a7+AjTUn5UfNAzV+xmTKs5qZLEieYMjWKLALYc+Gbw=',
    encryptedSha256: 'xMRW3tgHK1WFIGMpuKr8/m2i/eDe1g4gG9vBbjWSZrU=',
    blob: 'B6ZllRwOQgx4qElSzL+TUCb7sQjbb61m5uJspgwFGi5zbFEDxPipWnQm',
  },
];

/** Cuts bytes into chunks of these sizes, again and again. */
function* chunksOf(blob: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let from = 0, turn = 0; from < blob.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield blob.subarray(from, from + size);
    from += size;
  }
}

interface Result {
  readonly plain: Buffer;
  readonly error: unknown;
}

async function decrypt(
  file: MediaFile,
  blob: Buffer,
  options: { sizes?: readonly number[]; length?: number; maxBytes?: number } = {},
): Promise<Result> {
  const { sizes = [65_536], length, maxBytes = 1e9 } = options;
  const got: Buffer[] = [];
  const take = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) got.push(chunk);
  };
  const error = await pipeline(
    Readable.from(chunksOf(blob, sizes)),
    new MediaDecryption(file, { length, maxBytes }),
    take,
  ).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { plain: Buffer.concat(got), error };
}

const failure = expect.objectContaining({ code: 'MEDIA_UNAVAILABLE' });

describe('a file that Baileys encrypted', () => {
  it.each(BY_BAILEYS)('is opened: $kind', async ({ blob, ...reported }) => {
    const file = { mimetype: '', directPath: '/v/a', ...reported };
    const { plain, error } = await decrypt(file, Buffer.from(blob, 'base64'), { sizes: [7] });
    expect(error).toBeUndefined();
    expect(plain.toString()).toBe(`the bytes of one ${reported.kind}`);
  });

  it('is not opened as another kind', async () => {
    for (const { blob, ...reported } of BY_BAILEYS) {
      const kind = reported.kind === 'video' ? 'audio' : 'video';
      const file = { mimetype: '', directPath: '/v/a', ...reported, kind } as const;
      expect((await decrypt(file, Buffer.from(blob, 'base64'))).error).toEqual(failure);
    }
  });
});

it('opens files of any length in chunks of any size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 }),
      async (bytes, sizes) => {
        const data = Buffer.from(bytes);
        const { blob, file } = encryptedFile(data, { directPath: '/v/a' });
        expect(blob.length).toBe(encryptedLength(data.length));
        expect(await decrypt(file, blob, { sizes, length: data.length })).toEqual({
          plain: data,
          error: undefined,
        });
      },
    ),
    { numRuns: 100 },
  );
});

describe('a file that is not what its message says', () => {
  const data = randomBytes(200_000);
  const { blob, file } = encryptedFile(data, { directPath: '/v/a' });
  const other = encryptedFile(data, { directPath: '/v/b' });
  const changed = (at: number) => {
    const copy = Buffer.from(blob);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  it.each<[string, MediaFile, Buffer]>([
    ['one bit at the begin', file, changed(0)],
    ['one bit in the middle', file, changed(100_000)],
    ['one bit of the last block', file, changed(blob.length - 12)],
    ['one bit of the MAC', file, changed(blob.length - 1)],
    ['a missing end', file, blob.subarray(0, -16)],
    ['a missing MAC', file, blob.subarray(0, -10)],
    ['a file that ends within a block', file, blob.subarray(0, -3)],
    ['nothing at all', file, Buffer.alloc(0)],
    ['less than a MAC', file, Buffer.alloc(9)],
    ['a MAC alone', file, blob.subarray(-10)],
    ['something behind it', file, Buffer.concat([blob, Buffer.alloc(16)])],
    ['another key', { ...file, mediaKey: other.file.mediaKey }, blob],
    ['another hash', { ...file, sha256: other.file.encryptedSha256 ?? '' }, blob],
    ['another hash of what is encrypted', { ...file, encryptedSha256: other.file.encryptedSha256 }, blob],
  ])('fails before all of it is given: %s', async (_, reported, bytes) => {
    for (const sizes of [[65_536], [1_000, 17]]) {
      const { plain, error } = await decrypt(reported, bytes, { sizes });
      expect(error).toEqual(failure);
      expect(plain.length).toBeLessThan(data.length);
    }
  });

  it('gives nothing when it comes in one chunk', async () => {
    const { plain, error } = await decrypt(file, changed(blob.length - 1), { sizes: [1e6] });
    expect(error).toEqual(failure);
    expect(plain).toHaveLength(0);
  });

  it.each([-16, -1, 1, 16])('fails where the length that was promised is off by %i', async (off) => {
    const length = data.length + off;
    const { plain, error } = await decrypt(file, blob, { length });
    expect(error).toEqual(failure);
    expect(plain.length).toBeLessThan(length);
  });

  it('fails where it grows too large', async () => {
    expect((await decrypt(file, blob, { maxBytes: data.length })).error).toBeUndefined();
    const { plain, error } = await decrypt(file, blob, { maxBytes: data.length - 1 });
    expect(error).toEqual(expect.objectContaining({ code: 'MEDIA_TOO_LARGE' }));
    expect(plain.length).toBeLessThan(data.length);
  });
});
