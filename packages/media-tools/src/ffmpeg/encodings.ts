/** Keeps the place, the device and the like in the file to its owner; puts the index first, so that it plays while it loads. */
const MP4 = ['-map_metadata', '-1', '-movflags', '+faststart', '-max_muxing_queue_size', '4096', '-f', 'mp4'];

/** Full HD, or less, with square pixels and even sides, as H.264 wants them. */
const VIDEO_FILTER = [
  'scale=iw*sar:ih',
  "scale='min(iw,1920)':'min(ih,1920)':force_original_aspect_ratio=decrease",
  'scale=max(2\\,trunc(iw/2)*2):max(2\\,trunc(ih/2)*2)',
  'setsar=1',
].join(',');

/** Android plays the Main profile without B-frames on all phones (Cloud API, "Supported media types"). */
const H264 = [
  ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-maxrate', '5M', '-bufsize', '10M'],
  ...['-profile:v', 'main', '-bf', '0', '-pix_fmt', 'yuv420p', '-threads', '2'],
];

const AAC = ['-c:a', 'aac', '-b:a', '128k', '-ac', '2', '-ar', '44100'];

/** More frames a second than this are left out. */
const MAX_RATE = 60;

export interface VideoEncoding {
  copiesVideo: boolean;
  /** Undefined: without sound. */
  sound: 'copied' | 'encoded' | undefined;
  /** The frames of a second; those of the input if it is not known. */
  rate: number;
}

/** The options of an MP4, without its streams and its file. */
export function mp4Options({ copiesVideo, sound, rate }: VideoEncoding): string[] {
  const video = copiesVideo
    ? ['-c:v', 'copy']
    : ['-vf', VIDEO_FILTER, ...(rate > MAX_RATE ? ['-r', String(MAX_RATE)] : []), ...H264];
  if (sound === undefined) return [...video, '-an', ...MP4];
  return [...video, ...(sound === 'copied' ? ['-c:a', 'copy'] : AAC), ...MP4];
}

/** GIFs count in hundredths of a second, and browsers show at most 50 frames of one. 25 show all that is seen. */
export const GIF_OPTIONS = ['-vf', VIDEO_FILTER, '-r', '25', ...H264, '-an', ...MP4];

export const M4A_OPTIONS = [...AAC, ...MP4];

export const M4A_COPY_OPTIONS = ['-c:a', 'copy', ...MP4];

/** As WhatsApp's own voice notes: mono, for speech. */
export const OPUS_OPTIONS = [
  ...['-map_metadata', '-1', '-c:a', 'libopus', '-ac', '1', '-ar', '48000', '-b:a', '32k'],
  ...['-application', 'voip', '-f', 'ogg'],
];

/** Frames for a sticker, which sharp then makes small. */
export const STICKER_SECONDS = 10;
export const STICKER_OPTIONS = [
  ...['-vf', 'scale=iw*sar:ih,scale=512:512:force_original_aspect_ratio=decrease,setsar=1,fps=15'],
  ...['-c:v', 'libwebp_anim', '-q:v', '90', '-compression_level', '2', '-loop', '0', '-an', '-f', 'webp'],
];
