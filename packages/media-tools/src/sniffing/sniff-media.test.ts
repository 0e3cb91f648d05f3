import sharp from 'sharp';
import { expect, it } from 'vitest';
import { withFile } from '../testing/prepared.js';
import { makeSample, testPicture, tone } from '../testing/samples.js';
import { sniffMedia } from './sniff-media.js';

const picture = testPicture({ size: '64x48', seconds: 1, rate: 5 });

it.each([
  ['a.jpg', [...picture, '-frames:v', '1'], 'image/jpeg'],
  ['a.png', [...picture, '-frames:v', '1'], 'image/png'],
  ['a.webp', [...picture, '-frames:v', '1'], 'image/webp'],
  ['a.tiff', [...picture, '-frames:v', '1'], 'image/tiff'],
  ['a.gif', picture, 'image/gif'],
  ['a.mp4', picture, 'video/mp4'],
  ['a.mov', picture, 'video/quicktime'],
  ['a.3gp', [...picture, '-c:v', 'libx264'], 'video/3gpp'],
  ['a.webm', picture, 'video/webm'],
  ['a.mkv', picture, 'video/x-matroska'],
  ['a.avi', picture, 'video/x-msvideo'],
  ['a.flv', picture, 'video/x-flv'],
  ['a.ts', picture, 'video/mp2t'],
  ['a.mpg', [...picture, '-r', '25'], 'video/mpeg'],
  ['a.wmv', picture, 'video/x-ms-asf'],
  ['a.m4a', tone(1), 'audio/mp4'],
  ['a.opus', tone(1), 'audio/ogg; codecs=opus'],
  ['a.ogg', tone(1), 'audio/ogg'],
  ['a.mp3', tone(1), 'audio/mpeg'],
  ['a.mp3', [...tone(1), '-id3v2_version', '0', '-write_xing', '0'], 'audio/mpeg'],
  ['a.aac', tone(1), 'audio/aac'],
  ['a.amr', [...tone(1), '-ar', '8000', '-ac', '1', '-c:a', 'libopencore_amrnb'], 'audio/amr'],
  ['a.wav', tone(1), 'audio/wav'],
  ['a.flac', tone(1), 'audio/flac'],
  ['a.aiff', tone(1), 'audio/aiff'],
  ['a.caf', tone(1), 'audio/x-caf'],
])('tells %s, made by %j, by its first bytes', async (name, args, mimetype) => {
  expect(await withFile(await makeSample(name, args), sniffMedia)).toMatchObject({ mimetype });
});

it('tells AVIF', async () => {
  const picture = sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } });
  expect(await withFile(await picture.avif({ effort: 0 }).toBuffer(), sniffMedia)).toMatchObject({
    mimetype: 'image/avif',
    isShown: false,
  });
});

it.each([
  ['nothing', ''],
  ['a text', 'hello'],
  ['a page', '<!doctype html><img src="http://127.0.0.1/">'],
  ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
  ['a playlist', '#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'],
  ['a script for concat', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
  ['PDF', '%PDF-1.7\n'],
  ['ZIP', 'PK\x03\x04'],
])('tells nothing of %s', async (_what, content) => {
  expect(await withFile(content, sniffMedia)).toBeUndefined();
});
