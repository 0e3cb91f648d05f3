import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { prepare, testTools, withFile } from '../testing/prepared.js';
import { makeSample, testPicture, tone } from '../testing/samples.js';

const tools = testTools();

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const AAC = ['-c:a', 'aac'];

/** 160 x 120, 1 second. */
const picture = testPicture({ size: '160x120', seconds: 1, rate: 10 });
const film = [...picture, ...tone(1)];

/** Where the index of an MP4 is, and where its content. */
const places = (mp4: Buffer) => ({ index: mp4.indexOf('moov'), content: mp4.indexOf('mdat') });

it('describes a video, and makes a thumbnail', async () => {
  const mp4 = await makeSample('a.mp4', [...film, ...H264, ...AAC]);
  // The index is at the end, so the file is read from the end first.
  expect(places(mp4).index).toBeGreaterThan(places(mp4).content);
  const { thumbnail, ...described } = await withFile(mp4, tools.describeVideo);
  expect(described).toEqual({ mimetype: 'video/mp4', width: 160, height: 120, seconds: 1, hasSound: true });
  expect(await sharp(thumbnail).metadata()).toMatchObject({ format: 'jpeg', width: 72, height: 54 });
});

it('describes a video as it is shown: turned', async () => {
  const mp4 = await makeSample('a.mp4', [...picture, ...H264]);
  // The matrix of the track's head (ISO 14496-12, 8.3.2), turned by 90 degrees.
  const matrix = mp4.indexOf('tkhd') + 44;
  [0, 0x10000, 0, -0x10000, 0].forEach((value, index) => {
    mp4.writeInt32BE(value, matrix + 4 * index);
  });
  const { thumbnail, ...described } = await withFile(mp4, tools.describeVideo);
  expect(described).toMatchObject({ width: 120, height: 160, hasSound: false });
  expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 54, height: 72 });
});

it('trusts the frames, and not the head, for the length', async () => {
  const mp4 = await makeSample('a.mp4', [...picture, ...H264]);
  const head = mp4.indexOf('mvhd');
  mp4.writeUInt32BE(0x7fffffff, head + 4 + 16);
  expect(await withFile(mp4, tools.describeVideo)).toMatchObject({ seconds: 1 });
});

describe('toVideo', () => {
  it('leaves MP4 of H.264 and AAC as it is', async () => {
    const { isSame } = await prepare(await makeSample('a.mp4', [...film, ...H264, ...AAC]), tools.toVideo);
    expect(isSame).toBe(true);
  });

  it.each([
    ['Matroska', 'a.mkv'],
    ['QuickTime', 'a.mov'],
    ['MPEG-TS', 'a.ts'],
    ['FLV', 'a.flv'],
  ])('copies the streams of %s into MP4', async (_what, name) => {
    const sample = await makeSample(name, [...film, ...H264, ...AAC]);
    const { result, content, isSame } = await prepare(sample, tools.toVideo);
    expect(isSame).toBe(false);
    expect(result).toMatchObject({
      mimetype: 'video/mp4',
      width: 160,
      height: 120,
      seconds: 1,
      hasSound: true,
    });
    // x264 leaves its settings in the first frame: those of the sample.
    expect(content.includes('mixed_ref=0')).toBe(true);
    expect(places(content).index).toBeLessThan(places(content).content);
  });

  it.each([
    ['WebM', 'a.webm', film],
    ['AVI', 'a.avi', film],
    ['MPEG', 'a.mpg', [...film, '-r', '25']],
    ['HEVC', 'a.mp4', [...film, '-c:v', 'libx265', '-x265-params', 'log-level=none', ...AAC]],
    ['H.264 of 4:4:4', 'a.mp4', [...film, ...H264, '-pix_fmt', 'yuv444p', ...AAC]],
  ])('encodes %s again', async (_what, name, args) => {
    const sample = await makeSample(name, args);
    const { result, content } = await prepare(sample, tools.toVideo);
    expect(result).toMatchObject({
      mimetype: 'video/mp4',
      width: 160,
      height: 120,
      seconds: 1,
      hasSound: true,
    });
    // What was made is as WhatsApp wants it.
    expect((await prepare(content, tools.toVideo)).isSame).toBe(true);
  });

  it('makes the sides even', async () => {
    const odd = testPicture({ size: '161x121', seconds: 1, rate: 10 });
    const { result } = await prepare(
      await makeSample('a.webm', [...odd, '-pix_fmt', 'yuv444p']),
      tools.toVideo,
    );
    expect(result).toMatchObject({ width: 160, height: 120 });
  });

  it('runs no decoder that people have no files for', async () => {
    const rare = await makeSample('a.mkv', [...picture, '-c:v', 'ffv1']);
    await expect(withFile(rare, tools.toVideo)).rejects.toMatchObject({ kind: 'unreadable' });
  });

  it('encodes only the sound if the video is good', async () => {
    const sample = await makeSample('a.mkv', [...film, ...H264, '-c:a', 'libopus']);
    const { content } = await prepare(sample, tools.toVideo);
    expect(content.includes('mixed_ref=0')).toBe(true);
    expect((await prepare(content, tools.toVideo)).isSame).toBe(true);
  });

  it('takes the place and the device out of what it makes', async () => {
    const sample = await makeSample('a.mov', [...film, ...H264, ...AAC, '-metadata', 'comment=at home']);
    expect(sample.includes('at home')).toBe(true);
    expect((await prepare(sample, tools.toVideo)).content.includes('at home')).toBe(false);
  });

  it('refuses audio, and what is damaged', async () => {
    const sound = await makeSample('a.m4a', tone(1));
    await expect(withFile(sound, tools.toVideo)).rejects.toMatchObject({ kind: 'unreadable' });
    const mp4 = await makeSample('a.mp4', [...picture, ...H264]);
    await expect(withFile(mp4.subarray(0, 500), tools.toVideo)).rejects.toMatchObject({ kind: 'unreadable' });
  });
});

describe('toGif', () => {
  it('makes a silent MP4 of a GIF', async () => {
    const { result, content } = await prepare(await makeSample('a.gif', picture), tools.toGif);
    expect(result).toMatchObject({
      mimetype: 'video/mp4',
      width: 160,
      height: 120,
      seconds: 1,
      hasSound: false,
    });
    expect((await prepare(content, tools.toGif)).isSame).toBe(true);
  });

  it('makes one of an animated WebP', async () => {
    const webp = await makeSample('a.webp', picture);
    const { result } = await prepare(webp, tools.toGif);
    expect(result).toMatchObject({
      mimetype: 'video/mp4',
      width: 160,
      height: 120,
      seconds: 1,
      hasSound: false,
    });
  });

  it('takes the sound out of a video', async () => {
    const { result } = await prepare(await makeSample('a.mp4', [...film, ...H264, ...AAC]), tools.toGif);
    expect(result).toMatchObject({ hasSound: false, seconds: 1 });
  });

  it('refuses a picture that does not move', async () => {
    const still = await makeSample('a.webp', [...picture, '-frames:v', '1']);
    await expect(withFile(still, tools.toGif)).rejects.toMatchObject({ kind: 'unreadable' });
  });
});
