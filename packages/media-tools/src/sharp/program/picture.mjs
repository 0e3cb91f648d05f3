import { fstatSync, readFileSync, writeSync } from 'node:fs';
import { withoutMetadata } from './metadata.mjs';
import { Refusal } from './refusal.mjs';

/** @import { Metadata, Sharp, SharpOptions } from 'sharp' */
/** @import { SharpJob, SharpResult } from '../sharp-jobs.js' */

const INPUT = { descriptor: 3, path: '/dev/fd/3' };
const OUTPUT = { descriptor: 4 };

/** As large as the thumbnails of WhatsApp's own clients are about; 1 to 2 KB. */
const THUMBNAIL = { pixels: 72, quality: 50 };

/** Players show a frame with a shorter delay for 100 ms. */
const MIN_DELAY_MS = 11;
const DEFAULT_DELAY_MS = 100;

/** How many times the pixels of one picture the frames of an animation may have together. */
const ANIMATION_FACTOR = 4;

/** The picture on the input, whose size was checked. */
export class Picture {
  #sharp;
  #job;
  /** @readonly */
  metadata;
  /** How many frames an animation has; 1 for a still picture. @readonly */
  frames;

  /**
   * @param {import('sharp').SharpConstructor} sharp
   * @param {SharpJob} job
   * @param {Metadata} metadata
   */
  constructor(sharp, job, metadata) {
    this.#sharp = sharp;
    this.#job = job;
    this.metadata = metadata;
    // The pages of a TIFF are no animation.
    const isAnimation = metadata.format === 'gif' || metadata.format === 'webp';
    this.frames = isAnimation ? (metadata.pages ?? 1) : 1;
  }

  /**
   * @param {import('sharp').SharpConstructor} sharp
   * @param {SharpJob} job
   */
  static async open(sharp, job) {
    const metadata = await sharp(INPUT.path, { limitInputPixels: false }).metadata();
    const picture = new Picture(sharp, job, metadata);
    picture.#checkSize();
    return picture;
  }

  /** For how long each frame is shown, in ms. */
  get delays() {
    const { delay = [] } = this.metadata;
    return Array.from({ length: this.frames }, (_, index) => {
      const ms = delay[index] ?? 0;
      return ms < MIN_DELAY_MS ? DEFAULT_DELAY_MS : ms;
    });
  }

  /** The size of the file in bytes. */
  get bytes() {
    return fstatSync(INPUT.descriptor).size;
  }

  /** As it is shown. */
  get size() {
    const { autoOrient, pageHeight } = this.metadata;
    return { width: autoOrient.width, height: pageHeight ?? autoOrient.height };
  }

  /** The first frame. */
  read() {
    return this.#read({ limitInputPixels: this.#job.maxPixels });
  }

  /**
   * Some frames, one above the other.
   *
   * @param {number} first the index of the first one
   * @param {number} count
   */
  readFrames(first, count) {
    const limitInputPixels = this.#job.maxPixels * ANIMATION_FACTOR;
    return this.#read({ page: first, pages: count, limitInputPixels });
  }

  /**
   * @param {typeof THUMBNAIL} thumbnail
   * @returns {Promise<SharpResult>}
   */
  async describe(thumbnail = THUMBNAIL) {
    const made = await this.#makeThumbnail(thumbnail);
    return { ...this.size, frames: this.frames, thumbnail: made, isConverted: false };
  }

  /** @returns {Promise<SharpResult>} */
  async toImage() {
    const thumbnail = await this.#makeThumbnail(THUMBNAIL);
    const file = this.#isShown() ? readFileSync(INPUT.path) : undefined;
    const bare = file && withoutMetadata(file, this.metadata.format === 'png' ? 'png' : 'jpeg');
    if (bare !== undefined) {
      const isConverted = bare !== file;
      if (isConverted) writeOutput(bare);
      return { ...this.size, frames: 1, thumbnail, isConverted, isSameFormat: true };
    }
    const image = this.read().autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
    const { data, info } = await image.jpeg({ quality: 85 }).toBuffer({ resolveWithObject: true });
    writeOutput(data);
    return { width: info.width, height: info.height, frames: 1, thumbnail, isConverted: true };
  }

  #checkSize() {
    const { width, height, pageHeight } = this.metadata;
    if (width * (pageHeight ?? height) > this.#job.maxPixels) {
      throw new Refusal({ refused: 'too-large', bound: 'pixels' });
    }
    if (this.frames > this.#job.maxFrames) throw new Refusal({ refused: 'too-large', bound: 'frames' });
  }

  /** WhatsApp shows JPEG and PNG with 8 bits of red, green and blue. Not all of its clients turn pictures. */
  #isShown() {
    const { format, space, depth, orientation = 1 } = this.metadata;
    const isKnown = format === 'jpeg' || format === 'png';
    return isKnown && depth === 'uchar' && (space === 'srgb' || space === 'b-w') && orientation === 1;
  }

  /** @param {typeof THUMBNAIL} thumbnail */
  async #makeThumbnail({ pixels, quality }) {
    const image = this.read().autoOrient().resize({
      width: pixels,
      height: pixels,
      fit: 'inside',
      withoutEnlargement: true,
    });
    const data = await image.flatten({ background: 'white' }).jpeg({ quality }).toBuffer();
    return data.toString('base64');
  }

  /** @param {SharpOptions} options */
  #read(options) {
    return this.#sharp(INPUT.path, { failOn: 'error', sequentialRead: true, ...options });
  }
}

/** @param {Buffer} data */
export function writeOutput(data) {
  let written = 0;
  while (written < data.length) written += writeSync(OUTPUT.descriptor, data, written);
}
