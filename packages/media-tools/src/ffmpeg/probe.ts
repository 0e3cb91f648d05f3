import { readAll } from '../children/read-output.js';
import { PIPES } from '../children/run-child.js';
import { MediaToolError } from '../errors/media-tool-error.js';
import type { MediaFormat } from '../sniffing/sniff-media.js';
import type { SpoolFile } from '../spool/spool-file.js';
import { checkExit, type Ffmpeg } from './ffmpeg-child.js';
import { type ListedStream, readPacketList } from './packet-list.js';

export interface Probed {
  input: SpoolFile;
  format: MediaFormat;
  signal?: AbortSignal;
}

export interface ProbedVideo {
  codec: string;
  soundCodec: string | undefined;
  /** As the video is shown: after its rotation. */
  width: number;
  height: number;
  seconds: number;
  frames: number;
  /** Whether its pixels are as phones decode them: 8 bits, 4:2:0. */
  isPlain: boolean;
  thumbnail: Buffer;
}

export interface ProbedAudio {
  codec: string;
  seconds: number;
}

const [STDOUT, SECOND, THIRD] = PIPES;

const MAX_THUMBNAIL_BYTES = 64 * 1024;

/** As wide pixels as there are in the video may not be square. */
const THUMBNAIL_FILTER = 'scale=iw*sar:ih,scale=72:72:force_original_aspect_ratio=decrease,setsar=1';

const THUMBNAIL_CODEC = ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', '-q:v', '6', '-f', 'mjpeg'];

/** The first video stream, cover pictures left out, and the first audio stream if there is one. */
export const VIDEO_STREAMS = ['-map', '0:V:0', '-map', '0:a:0?', '-sn', '-dn'];

/**
 * Reads the whole file in one child: the packets of its streams, and its first frame, once as it is decoded and once as a
 * thumbnail.
 * @throws MediaToolError
 */
export async function probeVideo(
  ffmpeg: Ffmpeg,
  { input, format, signal }: Probed,
  maxSeconds: number,
): Promise<ProbedVideo> {
  let packets: ListedStream[] = [];
  let frames: ListedStream[] = [];
  let thumbnail: Buffer = Buffer.alloc(0);
  const exit = await ffmpeg.run({
    input,
    format,
    outputs: [
      [...VIDEO_STREAMS, '-c', 'copy', '-f', 'framecrc', STDOUT],
      ['-map', '0:V:0', '-frames:v', '1', '-f', 'framecrc', SECOND],
      ['-map', '0:V:0', '-frames:v', '1', '-vf', THUMBNAIL_FILTER, ...THUMBNAIL_CODEC, THIRD],
    ],
    readers: [
      async (pipe) => {
        packets = await readPacketList(pipe);
      },
      async (pipe) => {
        frames = await readPacketList(pipe);
      },
      async (pipe) => {
        thumbnail = await readAll(pipe, MAX_THUMBNAIL_BYTES);
      },
    ],
    ...(signal && { signal }),
  });
  const video = packets.find(({ isVideo }) => isVideo);
  const sound = packets.find(({ isVideo }) => !isVideo);
  checkExit(exit);
  const [frame] = frames;
  if (video === undefined || frame === undefined || frame.packets === 0) {
    throw new MediaToolError('unreadable', 'The file has no video that can be read.');
  }
  checkSeconds(video.seconds, maxSeconds);
  const { width, height } = frame;
  return {
    codec: video.codec,
    soundCodec: sound?.codec,
    width,
    height,
    seconds: video.seconds,
    frames: video.packets,
    isPlain: frame.firstBytes === width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2),
    thumbnail,
  };
}

/** @throws MediaToolError */
export async function probeAudio(
  ffmpeg: Ffmpeg,
  { input, format, signal }: Probed,
  maxSeconds: number,
): Promise<ProbedAudio> {
  let packets: ListedStream[] = [];
  const exit = await ffmpeg.run({
    input,
    format,
    outputs: [['-map', '0:a:0', '-c', 'copy', '-f', 'framecrc', STDOUT]],
    readers: [
      async (pipe) => {
        packets = await readPacketList(pipe);
      },
    ],
    ...(signal && { signal }),
  });
  const [audio] = packets;
  checkExit(exit);
  if (audio === undefined || audio.packets === 0) {
    throw new MediaToolError('unreadable', 'The file has no sound that can be read.');
  }
  checkSeconds(audio.seconds, maxSeconds);
  return { codec: audio.codec, seconds: audio.seconds };
}

/** @throws MediaToolError */
export function checkSeconds(seconds: number, maxSeconds: number): void {
  if (seconds > maxSeconds) {
    throw new MediaToolError('too-large', `The file is longer than ${maxSeconds} seconds.`, {
      bound: 'seconds',
    });
  }
}
