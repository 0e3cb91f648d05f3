import type { SpoolFile, SpoolOptions } from '../spool/spool-file.js';
import type {
  AudioDescription,
  ImageDescription,
  PreparedAudio,
  PreparedImage,
  PreparedSticker,
  PreparedVideo,
  PreparedVoiceNote,
  VideoDescription,
} from './descriptions.js';

export interface MediaToolsOptions {
  /** The program, or its name on PATH. Default: `ffmpeg`. */
  ffmpegPath?: string;
  /** Where converted files are written. */
  spool?: SpoolOptions;
  /** How many children run at a time. Default: 2. */
  atOnce?: number;
  /** How many files may wait for a turn, beside those at work. Default: 100; half of them of one tenant. Tenants take turns. */
  maxWaiting?: number;
  /** How long a child may run, in ms. The same bounds its CPU time. Default: 120,000. */
  timeoutMs?: number;
  /** The memory of a child, in bytes. Linux only. Default: 1 GiB. */
  memoryBytes?: number;
  /** The pixels of a picture, or of a frame of a video or an animation. Default: 50,000,000. */
  maxPixels?: number;
  /** The frames of an animation. Default: 1,000. */
  maxFrames?: number;
  /** The length of audio and video, in seconds. Default: 3,600. */
  maxSeconds?: number;
  /** The bytes of a converted file. Default: 100 MiB. */
  maxOutputBytes?: number;
}

export interface MediaCall {
  /** Whose file it is: tenants that wait take turns. */
  tenantId: string;
  /** Ends the wait and the child. The call then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Describes and converts files. The work is done by sharp and ffmpeg in child processes that can open no other file and
 * no address, with bounds on time, memory and output.
 *
 * The input is read through its descriptor and is not changed. Every method rejects with a MediaToolError or the
 * signal's reason, and then leaves neither a file nor a process.
 */
export interface MediaTools {
  describeImage(input: SpoolFile, call: MediaCall): Promise<ImageDescription>;
  describeVideo(input: SpoolFile, call: MediaCall): Promise<VideoDescription>;
  describeAudio(input: SpoolFile, call: MediaCall): Promise<AudioDescription>;

  /** The picture of a link's preview: a JPEG, at most 192 pixels wide and high. */
  toLinkThumbnail(input: SpoolFile, call: MediaCall): Promise<Buffer>;
  /** JPEG and PNG stay as they are unless they have to be turned; other pictures become JPEG. */
  toImage(input: SpoolFile, call: MediaCall): Promise<PreparedImage>;
  /** An MP4 of H.264 and AAC stays as it is; one in another container is copied into MP4; the rest is encoded again. */
  toVideo(input: SpoolFile, call: MediaCall): Promise<PreparedVideo>;
  /** Makes a silent MP4 of a GIF, an animated WebP or a video, for WhatsApp to repeat as it does GIFs. */
  toGif(input: SpoolFile, call: MediaCall): Promise<PreparedVideo>;
  /** MP3, M4A, AMR and Ogg Opus stay as they are; the rest becomes M4A. */
  toAudio(input: SpoolFile, call: MediaCall): Promise<PreparedAudio>;
  /** Ogg Opus, mono. A file that is that already stays as it is. */
  toVoiceNote(input: SpoolFile, call: MediaCall): Promise<PreparedVoiceNote>;
  /**
   * A WebP of 512 x 512 with transparent margins, of at most 100 KB, or 500 KB if it moves. From a picture, an
   * animation, or the first 10 seconds of a video.
   */
  toSticker(input: SpoolFile, call: MediaCall): Promise<PreparedSticker>;
}
