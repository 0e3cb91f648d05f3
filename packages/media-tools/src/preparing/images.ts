import { MediaToolError } from '../errors/media-tool-error.js';
import type { ImageDescription, PreparedImage } from '../interface/descriptions.js';
import type { SharpResult } from '../sharp/sharp-jobs.js';
import { type MediaFormat, mimetypeOf } from '../sniffing/sniff-media.js';
import type { Task, Toolbox } from './toolbox.js';

/** What sharp reads in its usual build. */
const READABLE: ReadonlySet<MediaFormat> = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif']);

/** @throws MediaToolError unless the file is a picture that sharp can read. */
export function checkPicture(format: MediaFormat): void {
  if (READABLE.has(format)) return;
  if (format === 'heic') {
    throw new MediaToolError(
      'unsupported',
      'HEIC pictures cannot be read here. Convert the picture to JPEG first.',
    );
  }
  throw new MediaToolError('unreadable', `The file is not a picture: it is ${mimetypeOf(format)}.`);
}

export async function describeImage(tools: Toolbox, task: Task): Promise<ImageDescription> {
  checkPicture(task.format);
  return descriptionOf(await tools.sharp('describe', task), mimetypeOf(task.format));
}

export async function toLinkThumbnail(tools: Toolbox, task: Task): Promise<Buffer> {
  checkPicture(task.format);
  const { thumbnail } = await tools.sharp('link-thumbnail', task);
  return Buffer.from(thumbnail, 'base64');
}

export async function toImage(tools: Toolbox, task: Task): Promise<PreparedImage> {
  checkPicture(task.format);
  return await tools.withOutput(async (output) => {
    const result = await tools.sharp('image', task, output);
    const mimetype = result.isSameFormat === true ? mimetypeOf(task.format) : 'image/jpeg';
    if (result.isConverted) return { file: output, ...descriptionOf(result, mimetype) };
    await output.close();
    return { file: task.input, ...descriptionOf(result, mimetypeOf(task.format)) };
  });
}

function descriptionOf(
  { width, height, frames, thumbnail }: SharpResult,
  mimetype: string,
): ImageDescription {
  return { mimetype, width, height, frames, thumbnail: Buffer.from(thumbnail, 'base64') };
}
