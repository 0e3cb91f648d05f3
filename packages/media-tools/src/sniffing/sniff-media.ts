import type { SniffedMedia } from '../interface/descriptions.js';
import type { SpoolFile } from '../spool/spool-file.js';

/** The formats that the first bytes of a file show. */
export type MediaFormat =
  | 'jpeg'
  | 'png'
  | 'webp'
  | 'gif'
  | 'tiff'
  | 'avif'
  | 'heic'
  | 'mp4'
  | 'quicktime'
  | '3gp'
  | 'm4a'
  | 'webm'
  | 'matroska'
  | 'avi'
  | 'flv'
  | 'mpeg-ts'
  | 'mpeg-ps'
  | 'asf'
  | 'ogg-opus'
  | 'ogg'
  | 'mp3'
  | 'aac'
  | 'amr'
  | 'wav'
  | 'flac'
  | 'aiff'
  | 'caf';

/** What is sent as it is, if its content is as WhatsApp wants it too. */
const FORMATS: Readonly<Record<MediaFormat, SniffedMedia>> = {
  jpeg: { mimetype: 'image/jpeg', mediaClass: 'image', isShown: true },
  png: { mimetype: 'image/png', mediaClass: 'image', isShown: true },
  webp: { mimetype: 'image/webp', mediaClass: 'image', isShown: false },
  gif: { mimetype: 'image/gif', mediaClass: 'image', isShown: false },
  tiff: { mimetype: 'image/tiff', mediaClass: 'image', isShown: false },
  avif: { mimetype: 'image/avif', mediaClass: 'image', isShown: false },
  heic: { mimetype: 'image/heic', mediaClass: 'image', isShown: false },
  mp4: { mimetype: 'video/mp4', mediaClass: 'video', isShown: true },
  quicktime: { mimetype: 'video/quicktime', mediaClass: 'video', isShown: false },
  '3gp': { mimetype: 'video/3gpp', mediaClass: 'video', isShown: true },
  m4a: { mimetype: 'audio/mp4', mediaClass: 'audio', isShown: true },
  webm: { mimetype: 'video/webm', mediaClass: 'video', isShown: false },
  matroska: { mimetype: 'video/x-matroska', mediaClass: 'video', isShown: false },
  avi: { mimetype: 'video/x-msvideo', mediaClass: 'video', isShown: false },
  flv: { mimetype: 'video/x-flv', mediaClass: 'video', isShown: false },
  'mpeg-ts': { mimetype: 'video/mp2t', mediaClass: 'video', isShown: false },
  'mpeg-ps': { mimetype: 'video/mpeg', mediaClass: 'video', isShown: false },
  asf: { mimetype: 'video/x-ms-asf', mediaClass: 'video', isShown: false },
  'ogg-opus': { mimetype: 'audio/ogg; codecs=opus', mediaClass: 'audio', isShown: true },
  ogg: { mimetype: 'audio/ogg', mediaClass: 'audio', isShown: false },
  mp3: { mimetype: 'audio/mpeg', mediaClass: 'audio', isShown: true },
  aac: { mimetype: 'audio/aac', mediaClass: 'audio', isShown: true },
  amr: { mimetype: 'audio/amr', mediaClass: 'audio', isShown: true },
  wav: { mimetype: 'audio/wav', mediaClass: 'audio', isShown: false },
  flac: { mimetype: 'audio/flac', mediaClass: 'audio', isShown: false },
  aiff: { mimetype: 'audio/aiff', mediaClass: 'audio', isShown: false },
  caf: { mimetype: 'audio/x-caf', mediaClass: 'audio', isShown: false },
};

/** The major brands of ISO media files (mp4ra.org) that say more than "MP4". */
const BRANDS: Readonly<Record<string, MediaFormat>> = {
  'qt  ': 'quicktime',
  'M4A ': 'm4a',
  'M4B ': 'm4a',
  avif: 'avif',
  avis: 'avif',
  heic: 'heic',
  heix: 'heic',
  heim: 'heic',
  heis: 'heic',
  hevc: 'heic',
  hevx: 'heic',
  mif1: 'heic',
  msf1: 'heic',
  '3gp4': '3gp',
  '3gp5': '3gp',
  '3gp6': '3gp',
  '3g2a': '3gp',
};

/** Enough to reach the second sync byte of MPEG-TS, and the names in the head of Matroska. */
const HEAD_BYTES = 512;

const MPEG_TS_PACKET = 188;

/**
 * Tells what a file is by its first bytes alone. Runs no program, so that a text, a playlist, a script or an SVG never
 * reaches one.
 *
 * @returns undefined for what is neither a picture, nor a video, nor audio of a known format.
 */
export async function sniffMedia(input: SpoolFile): Promise<SniffedMedia | undefined> {
  const format = await sniffFormat(input);
  return format && FORMATS[format];
}

export async function sniffFormat(input: SpoolFile): Promise<MediaFormat | undefined> {
  return formatOf(await input.readAt(0, HEAD_BYTES));
}

export function mimetypeOf(format: MediaFormat): string {
  return FORMATS[format].mimetype;
}

/** The number of channels of an Ogg Opus file (RFC 7845, 5.1): its head is the first packet, and alone on its page. */
export async function opusChannels(input: SpoolFile): Promise<number | undefined> {
  const head = await input.readAt(0, HEAD_BYTES);
  return head[head.indexOf('OpusHead') + 9];
}

function formatOf(head: Buffer): MediaFormat | undefined {
  const text = (start: number, end: number) => head.toString('latin1', start, end);
  const startsWith = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);

  if (startsWith(0xff, 0xd8, 0xff)) return 'jpeg';
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'gif';
  if (text(0, 4) === 'II*\0' || text(0, 4) === 'MM\0*') return 'tiff';
  if (text(4, 8) === 'ftyp') return BRANDS[text(8, 12)] ?? 'mp4';
  // Files of the first QuickTime have no brand.
  if (text(4, 8) === 'moov' || text(4, 8) === 'mdat' || text(4, 8) === 'wide') return 'quicktime';
  if (startsWith(0x1a, 0x45, 0xdf, 0xa3)) return head.includes('webm') ? 'webm' : 'matroska';
  if (text(0, 4) === 'RIFF') return riffFormat(text(8, 12));
  if (text(0, 4) === 'OggS') return head.includes('OpusHead') ? 'ogg-opus' : 'ogg';
  if (text(0, 4) === 'fLaC') return 'flac';
  if (text(0, 4) === 'caff') return 'caf';
  if (text(0, 4) === 'FORM' && /^AIF[FC]$/.test(text(8, 12))) return 'aiff';
  if (text(0, 3) === 'FLV') return 'flv';
  if (text(0, 6) === '#!AMR\n') return 'amr';
  if (startsWith(0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11)) return 'asf';
  if (startsWith(0, 0, 1, 0xba)) return 'mpeg-ps';
  if (head[0] === 0x47 && head[MPEG_TS_PACKET] === 0x47) return 'mpeg-ts';
  if (text(0, 3) === 'ID3') return 'mp3';
  return framedAudio(head);
}

function riffFormat(kind: string): MediaFormat | undefined {
  if (kind === 'WEBP') return 'webp';
  if (kind === 'AVI ') return 'avi';
  return kind === 'WAVE' ? 'wav' : undefined;
}

/** MPEG audio without a head: a frame begins with 11 set bits, then the version and the layer (ISO 11172-3, 13818-7). */
function framedAudio(head: Buffer): MediaFormat | undefined {
  const [first = 0, second = 0, third = 0] = head;
  if (first !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  const layer = (second >> 1) & 3;
  if (layer === 0) return (second & 0xf0) === 0xf0 ? 'aac' : undefined;
  const hasBitrate = third >> 4 !== 0xf && ((third >> 2) & 3) !== 3;
  return layer === 1 && hasBitrate ? 'mp3' : undefined;
}
