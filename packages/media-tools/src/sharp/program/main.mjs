/**
 * A child process that works on one picture with sharp: `node main.mjs JOB`, where JOB is a SharpJob as JSON. It reads
 * descriptor 3, writes descriptor 4, and prints a SharpAnswer as JSON.
 *
 * It is JavaScript, so that it runs from the sources as from the build.
 */
import { writeFrames } from './frames.mjs';
import { Picture } from './picture.mjs';
import { Refusal, refusalOf } from './refusal.mjs';
import { makeSticker } from './sticker.mjs';

/** @import { SharpAnswer, SharpJob } from '../sharp-jobs.js' */

/** Previews of links have no other picture than their thumbnail, and are shown in a third of the screen's width. */
const LINK_THUMBNAIL = { pixels: 192, quality: 70 };

/** What is read. Others of libvips' loaders open more files (SVG), run scripts (ImageMagick), or are not for the web. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}File`);

process.stdout.write(JSON.stringify(await answer(JSON.parse(process.argv[2] ?? ''))));

/**
 * @param {SharpJob} job
 * @returns {Promise<SharpAnswer>}
 */
async function answer(job) {
  const sharp = await loadSharp();
  if (sharp === undefined) return { refused: 'missing' };
  try {
    const picture = await Picture.open(sharp, job);
    switch (job.kind) {
      case 'describe':
        return await picture.describe();
      case 'link-thumbnail':
        return await picture.describe(LINK_THUMBNAIL);
      case 'image':
        return await picture.toImage();
      case 'frames':
        return await writeFrames(sharp, picture);
      case 'sticker':
        return await makeSticker(sharp, picture);
    }
  } catch (error) {
    return error instanceof Refusal ? error.answer : refusalOf(error);
  }
}

async function loadSharp() {
  try {
    const { default: sharp } = await import('sharp');
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: LOADERS });
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  } catch {
    return undefined;
  }
}
