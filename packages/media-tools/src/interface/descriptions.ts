import type { SpoolFile } from '../spool/spool-file.js';

/** The kinds of files that WhatsApp shows. What is neither can be sent as a document. */
export type MediaClass = 'image' | 'video' | 'audio';

/** What the first bytes of a file say of it. */
export interface SniffedMedia {
  /** Such as `image/jpeg`, `video/mp4` or `audio/ogg; codecs=opus`: the form in which WhatsApp names it. */
  mimetype: string;
  mediaClass: MediaClass;
  /** Whether WhatsApp shows or plays files of this format, as far as the first bytes tell. */
  isShown: boolean;
}

export interface ImageDescription {
  mimetype: string;
  /** In pixels, as the picture is shown: after its EXIF orientation. */
  width: number;
  height: number;
  /** 1 for a still picture. */
  frames: number;
  /** A JPEG, at most 72 pixels wide and high. */
  thumbnail: Buffer;
}

export interface VideoDescription {
  mimetype: string;
  /** In pixels, as the video is shown: after its rotation. */
  width: number;
  height: number;
  /** Rounded; at least 1. */
  seconds: number;
  hasSound: boolean;
  /** The first frame: a JPEG, at most 72 pixels wide and high. */
  thumbnail: Buffer;
}

export interface AudioDescription {
  mimetype: string;
  /** Rounded; at least 1. */
  seconds: number;
}

/** Loudness over the length of a voice note: 64 values from 0 to 100. */
export type Waveform = Uint8Array;

/**
 * A file that can be sent. `file` is the input itself if WhatsApp shows it as it is, otherwise a new spool file, which
 * the caller closes. To close the input as well is then still the caller's.
 */
export interface Prepared {
  file: SpoolFile;
}

export interface PreparedImage extends Prepared, ImageDescription {}

export interface PreparedVideo extends Prepared, VideoDescription {}

export interface PreparedAudio extends Prepared, AudioDescription {}

export interface PreparedVoiceNote extends PreparedAudio {
  waveform: Waveform;
}

export interface PreparedSticker extends Prepared {
  mimetype: 'image/webp';
  /** 512, as the height. */
  width: number;
  height: number;
  isAnimated: boolean;
}
