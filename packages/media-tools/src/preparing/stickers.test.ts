import sharp from 'sharp';
import { expect, it } from 'vitest';
import { prepare, testTools, withFile } from '../testing/prepared.js';
import { makeSample, testPicture } from '../testing/samples.js';

const tools = testTools();

const noise = (args: string) => ['-f', 'lavfi', '-i', `nullsrc=${args},geq=random(1)*255:random(1)*255:128`];

it('makes a sticker of a picture, with transparent margins', async () => {
  const wide = sharp({ create: { width: 400, height: 100, channels: 3, background: 'red' } });
  const { result, content } = await prepare(await wide.jpeg().toBuffer(), tools.toSticker);
  expect(result).toMatchObject({ mimetype: 'image/webp', width: 512, height: 512, isAnimated: false });
  expect(await sharp(content).metadata()).toMatchObject({
    format: 'webp',
    width: 512,
    height: 512,
    hasAlpha: true,
  });
  const { data } = await sharp(content).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number) => [...data.subarray(4 * (512 * y + x), 4 * (512 * y + x) + 4)];
  expect(pixel(256, 10)[3]).toBe(0);
  expect(pixel(256, 256)[3]).toBe(255);
  expect(pixel(256, 256)[0]).toBeGreaterThan(200);
});

it('lowers the quality until a sticker is small enough', async () => {
  const { content } = await prepare(
    await makeSample('a.png', [...noise('s=512x512:d=1'), '-frames:v', '1']),
    tools.toSticker,
  );
  expect(content.length).toBeLessThanOrEqual(100_000);
});

it.each(['a.gif', 'a.webp', 'a.mp4'])('makes a moving sticker of %s', async (name) => {
  const sample = await makeSample(name, testPicture({ size: '160x120', seconds: 1, rate: 10 }));
  const { result, content } = await prepare(sample, tools.toSticker);
  expect(result).toMatchObject({ width: 512, height: 512, isAnimated: true });
  expect(content.length).toBeLessThanOrEqual(500_000);
  const {
    pages = 1,
    pageHeight,
    width,
    delay = [],
    loop,
  } = await sharp(content, { animated: true }).metadata();
  expect({ pageHeight, width, loop }).toEqual({ pageHeight: 512, width: 512, loop: 0 });
  expect(pages).toBeGreaterThanOrEqual(10);
  expect(delay.reduce((sum, ms) => sum + ms, 0)).toBeCloseTo(1_000, -2);
});

it('makes a sticker of a square video, whose animation is a sticker at once', async () => {
  const sample = await makeSample('a.mp4', testPicture({ size: '64x64', seconds: 1, rate: 5 }));
  const { result, content } = await prepare(sample, tools.toSticker);
  expect(result).toMatchObject({ width: 512, height: 512, isAnimated: true });
  const animation = sharp(content, { animated: true });
  expect(await animation.metadata()).toMatchObject({ format: 'webp', width: 512, pageHeight: 512, pages: 5 });
});

it('leaves out frames where quality alone does not suffice', async () => {
  const sample = await makeSample('a.gif', noise('s=192x192:d=1:r=10'));
  const { content } = await prepare(sample, tools.toSticker);
  expect(content.length).toBeLessThanOrEqual(500_000);
  const { pages = 1, delay = [] } = await sharp(content).metadata();
  expect(pages).toBeLessThan(10);
  expect(delay.reduce((sum, ms) => sum + ms, 0)).toBe(1_000);
});

it('leaves a sticker as it is', async () => {
  const { content } = await prepare(
    await makeSample('a.gif', testPicture({ size: '64x64', seconds: 1, rate: 5 })),
    tools.toSticker,
  );
  expect((await prepare(content, tools.toSticker)).isSame).toBe(true);
});

it('refuses audio', async () => {
  const sound = await makeSample('a.wav', ['-f', 'lavfi', '-i', 'sine=duration=1']);
  await expect(withFile(sound, tools.toSticker)).rejects.toMatchObject({ kind: 'unreadable' });
});
