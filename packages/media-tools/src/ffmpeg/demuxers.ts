import type { MediaFormat } from '../sniffing/sniff-media.js';

/** What FFmpeg reads. `jpeg-frames` is what sharp makes of an animation: JPEG pictures, 25 of a second. */
export type FfmpegFormat = MediaFormat | 'jpeg-frames';

/**
 * FFmpeg's reader of each format. None of these opens a second file or an address: those of playlists (HLS, DASH, concat),
 * of numbered pictures and of streams are left out.
 */
export const DEMUXERS: Readonly<Partial<Record<FfmpegFormat, string>>> = {
  gif: 'gif',
  'jpeg-frames': 'mjpeg',
  mp4: 'mov',
  quicktime: 'mov',
  '3gp': 'mov',
  m4a: 'mov',
  webm: 'matroska',
  matroska: 'matroska',
  avi: 'avi',
  flv: 'flv',
  'mpeg-ts': 'mpegts',
  'mpeg-ps': 'mpeg',
  asf: 'asf',
  'ogg-opus': 'ogg',
  ogg: 'ogg',
  mp3: 'mp3',
  aac: 'aac',
  amr: 'amr',
  wav: 'wav',
  flac: 'flac',
  aiff: 'aiff',
  caf: 'caf',
};

/** What people have, by FFmpeg's names. FFmpeg has some 500 decoders, most of them for formats of games and of the past. */
const VIDEO_DECODERS = [
  ...['h264', 'hevc', 'vp8', 'libvpx', 'vp9', 'libvpx-vp9', 'av1', 'libdav1d', 'libaom-av1'],
  ...['mpeg4', 'mpeg2video', 'mpeg1video', 'h263', 'flv', 'mjpeg', 'theora', 'prores', 'dvvideo'],
  ...['msmpeg4v2', 'msmpeg4', 'wmv1', 'wmv2', 'wmv3', 'vc1', 'gif', 'png'],
];

const AUDIO_DECODERS = [
  ...[
    'aac',
    'mp3',
    'mp3float',
    'mp2',
    'mp2float',
    'opus',
    'libopus',
    'vorbis',
    'flac',
    'alac',
    'ac3',
    'eac3',
  ],
  ...[
    'amrnb',
    'libopencore_amrnb',
    'amrwb',
    'libopencore_amrwb',
    'wmav1',
    'wmav2',
    'wmapro',
    'speex',
    'libspeex',
  ],
  ...['pcm_s16le', 'pcm_s16be', 'pcm_s24le', 'pcm_s24be', 'pcm_s32le', 'pcm_s32be', 'pcm_f32le', 'pcm_f32be'],
  ...['pcm_f64le', 'pcm_f64be', 'pcm_u8', 'pcm_s8', 'pcm_alaw', 'pcm_mulaw', 'adpcm_ms', 'adpcm_ima_wav'],
  ...['adpcm_ima_qt', 'gsm', 'gsm_ms', 'libgsm', 'libgsm_ms'],
];

export const DECODERS: readonly string[] = [...VIDEO_DECODERS, ...AUDIO_DECODERS];
