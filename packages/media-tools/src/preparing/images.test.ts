import sharp, { type Sharp } from 'sharp';
import { beforeAll, expect, it } from 'vitest';
import { prepare, testTools, withFile } from '../testing/prepared.js';
import { makeSample, testPicture } from '../testing/samples.js';

const tools = testTools();

/** Red on its left half, 300 x 200. */
let picture: Sharp;

beforeAll(async () => {
  const left = await sharp({ create: { width: 150, height: 200, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const both = sharp({ create: { width: 300, height: 200, channels: 3, background: 'blue' } });
  picture = sharp(
    await both
      .composite([{ input: left, left: 0, top: 0 }])
      .png()
      .toBuffer(),
  );
});

it('describes a picture, and makes a thumbnail', async () => {
  const jpeg = await picture.clone().jpeg().toBuffer();
  const { thumbnail, ...described } = await withFile(jpeg, tools.describeImage);
  expect(described).toEqual({ mimetype: 'image/jpeg', width: 300, height: 200, frames: 1 });
  expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'jpeg', width: 72, height: 48 });
  expect(thumbnail.length).toBeLessThan(2_000);
});

it('makes the thumbnail of a link', async () => {
  const webp = await picture.clone().webp().toBuffer();
  const thumbnail = await withFile(webp, tools.toLinkThumbnail);
  expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'jpeg', width: 192, height: 128 });
  expect(thumbnail.length).toBeLessThan(20_000);
  await expect(withFile('<svg/>', tools.toLinkThumbnail)).rejects.toMatchObject({ kind: 'unreadable' });
});

it('respects the orientation: a picture that lies on its side is turned', async () => {
  const turned = await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer();
  const { thumbnail, ...described } = await withFile(turned, tools.describeImage);
  expect(described).toMatchObject({ width: 200, height: 300 });
  // What was on the left is at the top now.
  const { data } = await sharp(thumbnail).raw().toBuffer({ resolveWithObject: true });
  expect((data[0] ?? 0) > (data[2] ?? 0)).toBe(true);
  const { result, content, isSame } = await prepare(turned, tools.toImage);
  expect(isSame).toBe(false);
  expect(result).toMatchObject({ mimetype: 'image/jpeg', width: 200, height: 300 });
  const metadata = await sharp(content).metadata();
  expect(metadata).toMatchObject({ width: 200, height: 300 });
  expect(metadata.orientation ?? 1).toBe(1);
});

it.each([
  ['JPEG', (image: Sharp) => image.jpeg()],
  ['PNG', (image: Sharp) => image.png()],
])('leaves %s as it is', async (_what, encode) => {
  const { result, isSame } = await prepare(await encode(picture.clone()).toBuffer(), tools.toImage);
  expect(isSame).toBe(true);
  expect(result).toMatchObject({ width: 300, height: 200 });
});

it.each([
  ['JPEG', (image: Sharp) => image.jpeg({ progressive: true })],
  ['PNG', (image: Sharp) => image.png()],
] as const)('leaves out of %s where it was taken, and changes no pixel', async (_what, encode) => {
  const place = { IFD0: { Model: 'A camera' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '52/1 30/1 0/1' } };
  const xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><place>Berlin</place></x:xmpmeta>';
  const taken = await encode(picture.clone().withExif(place).withXmp(xmp).withIccProfile('p3')).toBuffer();
  const { exif, xmp: described, format } = await sharp(taken).metadata();
  expect([exif === undefined, described === undefined]).toEqual([false, false]);
  // As phones do it: a second picture, or a video, behind the first one.
  const { result, content, isSame } = await prepare(Buffer.concat([taken, taken]), tools.toImage);
  expect(isSame).toBe(false);
  expect(result).toMatchObject({ mimetype: `image/${format}`, width: 300, height: 200 });
  const bare = await sharp(content).metadata();
  expect([bare.exif, bare.xmp, bare.icc === undefined]).toEqual([undefined, undefined, false]);
  for (const word of ['camera', 'Berlin', 'Exif']) expect(content.includes(word)).toBe(false);
  const [before, after] = await Promise.all([taken, content].map((file) => sharp(file).raw().toBuffer()));
  expect(after?.equals(before ?? Buffer.alloc(0))).toBe(true);
});

it.each([
  ['WebP', (image: Sharp) => image.webp()],
  ['AVIF', (image: Sharp) => image.avif({ effort: 0 })],
  ['GIF', (image: Sharp) => image.gif()],
  ['JPEG for print', (image: Sharp) => image.toColourspace('cmyk').jpeg()],
  ['PNG of 16 bits', (image: Sharp) => image.toColourspace('rgb16').png()],
])('makes JPEG of %s', async (_what, encode) => {
  const { result, content, isSame } = await prepare(await encode(picture.clone()).toBuffer(), tools.toImage);
  expect(isSame).toBe(false);
  expect(result).toMatchObject({ mimetype: 'image/jpeg', width: 300, height: 200 });
  expect(await sharp(content).metadata()).toMatchObject({
    format: 'jpeg',
    space: 'srgb',
    width: 300,
    height: 200,
  });
});

it('makes transparent parts white', async () => {
  const clear = sharp({ create: { width: 10, height: 10, channels: 4, background: '#ff000000' } });
  const { content } = await prepare(await clear.webp().toBuffer(), tools.toImage);
  const { data } = await sharp(content).raw().toBuffer({ resolveWithObject: true });
  expect([...data.subarray(0, 3)].every((value) => value > 250)).toBe(true);
});

it('counts the frames of an animation, whose size is that of one', async () => {
  const gif = await makeSample('a.gif', testPicture({ size: '64x48', seconds: 1, rate: 5 }));
  expect(await withFile(gif, tools.describeImage)).toMatchObject({ width: 64, height: 48, frames: 5 });
});

it('refuses other files, and damaged ones', async () => {
  const jpeg = await picture.clone().jpeg().toBuffer();
  const cut = jpeg.subarray(0, jpeg.length / 2);
  await expect(withFile(cut, tools.toImage)).rejects.toMatchObject({ kind: 'unreadable' });
  const named = Buffer.concat([jpeg.subarray(0, 4), Buffer.from('<html>')]);
  await expect(withFile(named, tools.toImage)).rejects.toMatchObject({ kind: 'unreadable' });
  await expect(withFile('<html>', tools.toImage)).rejects.toMatchObject({ kind: 'unreadable' });
  await expect(withFile('OggS', tools.toImage)).rejects.toMatchObject({ kind: 'unreadable' });
});

it('says that HEIC is not read', async () => {
  const heic = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  await expect(withFile(heic, tools.toImage)).rejects.toMatchObject({ kind: 'unsupported' });
});
