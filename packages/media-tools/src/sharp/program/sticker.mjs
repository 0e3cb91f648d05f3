import { writeOutput } from './picture.mjs';
import { Refusal } from './refusal.mjs';

/** @import { SharpResult } from '../sharp-jobs.js' */
/** @import { Picture } from './picture.mjs' */

const PIXELS = 512;
const CHANNELS = /** @type {const} */ (4);
const FRAME_BYTES = PIXELS * PIXELS * CHANNELS;

/** What WhatsApp takes: developers.facebook.com/docs/whatsapp/cloud-api/reference/media#supported-media-types */
const MAX_BYTES = { still: 100_000, moving: 500_000 };

/** Longer animations are cut. */
const MAX_MS = 10_000;
const MAX_FRAMES = 150;

const TRANSPARENT = { r: 0, g: 0, b: 0, alpha: 0 };

/** From the best on, until the sticker is small enough. One frame of `every` stays. */
const ATTEMPTS = {
  still: [90, 75, 60, 45, 30, 15, 5].map((quality) => ({ quality, every: 1 })),
  moving: [
    { quality: 75, every: 1 },
    { quality: 50, every: 1 },
    { quality: 30, every: 2 },
    { quality: 15, every: 3 },
    { quality: 5, every: 5 },
  ],
};

/**
 * @typedef {object} Frames
 * @property {Buffer} pixels one frame after the other
 * @property {number[]} delays of each frame, in ms; one for a still picture
 */

/**
 * Writes the sticker. One that is a sticker already stays as it is, with the pack's name in it.
 *
 * @param {import('sharp').SharpConstructor} sharp
 * @param {Picture} picture
 * @returns {Promise<SharpResult>}
 */
export async function makeSticker(sharp, picture) {
  const kind = picture.frames > 1 ? 'moving' : 'still';
  const size = { width: PIXELS, height: PIXELS, thumbnail: '' };
  if (isSticker(picture, MAX_BYTES[kind])) return { ...size, frames: picture.frames, isConverted: false };
  const frames = kind === 'moving' ? await readAnimation(picture) : await readStill(picture);
  for (const { quality, every } of ATTEMPTS[kind]) {
    const data = await encode(sharp, leaveOut(frames, every), quality);
    if (data.length > MAX_BYTES[kind]) continue;
    writeOutput(data);
    return { ...size, frames: frames.delays.length, isConverted: true };
  }
  throw new Refusal({ refused: 'too-large', bound: 'bytes' });
}

/**
 * @param {Picture} picture
 * @param {number} maxBytes
 */
function isSticker(picture, maxBytes) {
  const { width, height } = picture.size;
  const isWebp = picture.metadata.format === 'webp';
  return isWebp && width === PIXELS && height === PIXELS && picture.bytes <= maxBytes;
}

/**
 * @param {Picture} picture
 * @returns {Promise<Frames>}
 */
async function readStill(picture) {
  return { pixels: await fit(picture.read().autoOrient()), delays: [0] };
}

/**
 * @param {Picture} picture
 * @returns {Promise<Frames>}
 */
async function readAnimation(picture) {
  /** @type {number[]} */
  const delays = [];
  let shownMs = 0;
  for (const ms of picture.delays.slice(0, MAX_FRAMES)) {
    if (shownMs >= MAX_MS) break;
    delays.push(ms);
    shownMs += ms;
  }
  return { pixels: await fit(picture.readFrames(0, delays.length)), delays };
}

/** @param {import('sharp').Sharp} image */
function fit(image) {
  return image
    .resize({ width: PIXELS, height: PIXELS, fit: 'contain', background: TRANSPARENT })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer();
}

/**
 * @param {Frames} frames
 * @param {number} every
 * @returns {Frames}
 */
function leaveOut({ pixels, delays }, every) {
  if (every === 1) return { pixels, delays };
  const kept = delays.flatMap((_, index) => (index % every === 0 ? [index] : []));
  return {
    pixels: Buffer.concat(
      kept.map((index) => pixels.subarray(index * FRAME_BYTES, (index + 1) * FRAME_BYTES)),
    ),
    // A frame is shown for the time of those left out after it, too.
    delays: kept.map((index) => delays.slice(index, index + every).reduce((sum, ms) => sum + ms, 0)),
  };
}

/**
 * @param {import('sharp').SharpConstructor} sharp
 * @param {Frames} frames
 * @param {number} quality
 */
function encode(sharp, { pixels, delays }, quality) {
  const raw = { width: PIXELS, height: PIXELS * delays.length, channels: CHANNELS };
  if (delays.length === 1) return sharp(pixels, { raw }).webp({ quality }).toBuffer();
  return sharp(pixels, { raw: { ...raw, pageHeight: PIXELS } })
    .webp({ quality, loop: 0, delay: delays, effort: 2 })
    .toBuffer();
}
