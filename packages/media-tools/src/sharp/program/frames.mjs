import { writeOutput } from './picture.mjs';

/** @import { SharpResult } from '../sharp-jobs.js' */
/** @import { Picture } from './picture.mjs' */

/** WhatsApp shows GIFs in a small size. */
const MAX_SIDE = 640;

/** FFmpeg takes 25 pictures for a second. */
const TICK_MS = 40;

const CHANNELS = /** @type {const} */ (3);

/** How many frames are in memory at a time. WebP is decoded from its first frame for each of these groups. */
const GROUP = 200;

/**
 * Writes an animation as JPEG pictures, one after the other, as FFmpeg reads them. A frame that is shown for longer is
 * written more than once.
 *
 * @param {import('sharp').SharpConstructor} sharp
 * @param {Picture} picture
 * @returns {Promise<SharpResult>}
 */
export async function writeFrames(sharp, picture) {
  const { delays } = picture;
  let shownMs = 0;
  let written = 0;
  for (let first = 0; first < picture.frames; first += GROUP) {
    const count = Math.min(GROUP, picture.frames - first);
    for (const [index, jpeg] of (await readGroup(sharp, picture, first, count)).entries()) {
      shownMs += delays[first + index] ?? 0;
      for (; written * TICK_MS < shownMs; written += 1) writeOutput(jpeg);
    }
  }
  return { ...picture.size, frames: picture.frames, thumbnail: '', isConverted: true };
}

/**
 * @param {import('sharp').SharpConstructor} sharp
 * @param {Picture} picture
 * @param {number} first
 * @param {number} count
 */
async function readGroup(sharp, picture, first, count) {
  const image = picture
    .readFrames(first, count)
    .resize({ width: MAX_SIDE, height: MAX_SIDE, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: 'white' })
    .toColourspace('srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height / count, channels: CHANNELS };
  const bytes = raw.width * raw.height * CHANNELS;
  /** @type {Buffer[]} */
  const frames = [];
  for (let index = 0; index < count; index += 1) {
    const pixels = data.subarray(index * bytes, (index + 1) * bytes);
    frames.push(await sharp(pixels, { raw }).jpeg({ quality: 90 }).toBuffer());
  }
  return frames;
}
