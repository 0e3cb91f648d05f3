import { OUTPUT } from '../children/run-child.js';
import { MediaToolError } from '../errors/media-tool-error.js';
import { GIF_OPTIONS, mp4Options, type VideoEncoding } from '../ffmpeg/encodings.js';
import { checkExit, type FfmpegCall } from '../ffmpeg/ffmpeg-child.js';
import { type ProbedVideo, probeVideo, VIDEO_STREAMS } from '../ffmpeg/probe.js';
import type { PreparedVideo, VideoDescription } from '../interface/descriptions.js';
import { type MediaFormat, mimetypeOf } from '../sniffing/sniff-media.js';
import type { SpoolFile } from '../spool/spool-file.js';
import type { Task, Toolbox } from './toolbox.js';

/** The containers that WhatsApp takes. */
const CONTAINERS: ReadonlySet<MediaFormat> = new Set(['mp4', '3gp']);

export async function describeVideo(tools: Toolbox, task: Task): Promise<VideoDescription> {
  const video = await probeVideo(tools.ffmpeg, task, tools.bounds.maxSeconds);
  return descriptionOf(video, mimetypeOf(task.format));
}

export async function toVideo(tools: Toolbox, task: Task): Promise<PreparedVideo> {
  if (task.format === 'gif' || task.format === 'webp') return await toGif(tools, task);
  const video = await probeVideo(tools.ffmpeg, task, tools.bounds.maxSeconds);
  const encoding: VideoEncoding = {
    copiesVideo: video.codec === 'h264' && video.isPlain,
    sound: soundOf(video),
    rate: rateOf(video),
  };
  const isGood = encoding.copiesVideo && encoding.sound !== 'encoded';
  if (isGood && CONTAINERS.has(task.format)) {
    return { file: task.input, ...descriptionOf(video, mimetypeOf(task.format)) };
  }
  return await encode(tools, task, mp4Options(encoding));
}

export async function toGif(tools: Toolbox, task: Task): Promise<PreparedVideo> {
  if (task.format === 'webp') return await animationToGif(tools, task);
  const video = await probeVideo(tools.ffmpeg, task, tools.bounds.maxSeconds);
  if (task.format === 'gif') {
    checkFrames(video, tools.bounds.maxFrames);
    return await encode(tools, task, GIF_OPTIONS);
  }
  const copiesVideo = video.codec === 'h264' && video.isPlain;
  if (copiesVideo && video.soundCodec === undefined && CONTAINERS.has(task.format)) {
    return { file: task.input, ...descriptionOf(video, mimetypeOf(task.format)) };
  }
  return await encode(tools, task, mp4Options({ copiesVideo, sound: undefined, rate: rateOf(video) }));
}

/** FFmpeg does not read animated WebP, so sharp makes pictures of its frames first. */
async function animationToGif(tools: Toolbox, task: Task): Promise<PreparedVideo> {
  return await tools.withTemporary(async (pictures) => {
    const { frames } = await tools.sharp('frames', task, pictures);
    if (frames < 2) throw new MediaToolError('unreadable', 'The picture does not move.');
    return await encode(tools, { ...task, input: pictures, format: 'jpeg-frames' }, GIF_OPTIONS);
  });
}

async function encode(
  tools: Toolbox,
  task: Pick<FfmpegCall, 'input' | 'format' | 'signal'>,
  options: readonly string[],
): Promise<PreparedVideo> {
  return await tools.withOutput(async (output) => {
    const outputs = [[...VIDEO_STREAMS, ...options, OUTPUT]];
    checkExit(await tools.ffmpeg.run({ ...task, outputs, output }));
    return { file: output, ...(await describeMp4(tools, task, output)) };
  });
}

/** Only what was made says how large and how long it became. */
async function describeMp4(
  tools: Toolbox,
  { signal }: Pick<Task, 'signal'>,
  input: SpoolFile,
): Promise<VideoDescription> {
  return await describeVideo(tools, { input, format: 'mp4', ...(signal && { signal }) });
}

function checkFrames({ frames }: ProbedVideo, maxFrames: number): void {
  if (frames <= maxFrames) return;
  throw new MediaToolError('too-large', `The animation has more than ${maxFrames} frames.`, {
    bound: 'frames',
  });
}

function soundOf({ soundCodec }: ProbedVideo): VideoEncoding['sound'] {
  if (soundCodec === undefined) return undefined;
  return soundCodec === 'aac' ? 'copied' : 'encoded';
}

function rateOf({ frames, seconds }: ProbedVideo): number {
  return seconds > 0 ? frames / seconds : 0;
}

function descriptionOf(
  { width, height, seconds, soundCodec, thumbnail }: ProbedVideo,
  mimetype: string,
): VideoDescription {
  return {
    mimetype,
    width,
    height,
    seconds: Math.max(1, Math.round(seconds)),
    hasSound: soundCodec !== undefined,
    thumbnail,
  };
}
