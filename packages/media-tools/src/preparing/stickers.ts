import { OUTPUT } from '../children/run-child.js';
import { DEMUXERS } from '../ffmpeg/demuxers.js';
import { STICKER_OPTIONS, STICKER_SECONDS } from '../ffmpeg/encodings.js';
import { checkExit } from '../ffmpeg/ffmpeg-child.js';
import { probeVideo } from '../ffmpeg/probe.js';
import type { PreparedSticker } from '../interface/descriptions.js';
import { checkPicture } from './images.js';
import type { Task, Toolbox } from './toolbox.js';

export async function toSticker(tools: Toolbox, task: Task): Promise<PreparedSticker> {
  const isVideo = task.format !== 'gif' && DEMUXERS[task.format] !== undefined;
  return isVideo ? await videoToSticker(tools, task) : await pictureToSticker(tools, task);
}

async function pictureToSticker(tools: Toolbox, task: Task): Promise<PreparedSticker> {
  checkPicture(task.format);
  return await tools.withOutput(async (output) => {
    const { width, height, frames, isConverted } = await tools.sharp('sticker', task, output);
    if (!isConverted) await output.close();
    return {
      file: isConverted ? output : task.input,
      mimetype: 'image/webp',
      width,
      height,
      isAnimated: frames > 1,
    };
  });
}

/** FFmpeg makes an animation of the video's start. sharp makes the sticker of it. */
async function videoToSticker(tools: Toolbox, task: Task): Promise<PreparedSticker> {
  await probeVideo(tools.ffmpeg, task, tools.bounds.maxSeconds);
  return await tools.withTemporary(async (animation) => {
    const outputs = [['-map', '0:V:0', ...STICKER_OPTIONS, OUTPUT]];
    const call = { ...task, seconds: STICKER_SECONDS, outputs, output: animation };
    checkExit(await tools.ffmpeg.run(call));
    return await pictureToSticker(tools, { ...task, input: animation, format: 'webp' });
  });
}
