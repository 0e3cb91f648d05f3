import type { FileType } from '@wafleet/contract';
import {
  type MediaCall,
  MediaToolError,
  type MediaTools,
  type SniffedMedia,
  type SpoolFile,
  sniffMedia,
} from '@wafleet/media-tools';
import { unreadable } from './file-errors.js';

/** A file as WhatsApp takes it. */
export interface PreparedFile {
  /** The input itself, or what it was converted to. */
  readonly file: SpoolFile;
  readonly mimetype: string;
  readonly width?: number;
  readonly height?: number;
  readonly seconds?: number;
  /** A JPEG file. */
  readonly thumbnail?: Buffer;
  /** 64 values from 0 to 100. */
  readonly waveform?: Uint8Array;
  readonly isAnimated?: boolean;
}

const ANY_TYPE = 'application/octet-stream';
const VOICE = 'audio/ogg; codecs=opus';

/** Files that WhatsApp takes as they are, for when the program that converts others is missing. */
const SENT_AS_IT_IS: Readonly<Record<Exclude<FileType, 'document'>, (media: SniffedMedia) => boolean>> = {
  image: ({ mediaClass, isShown }) => mediaClass === 'image' && isShown,
  video: isPlainVideo,
  'video-note': isPlainVideo,
  gif: isPlainVideo,
  audio: ({ mediaClass, isShown }) => mediaClass === 'audio' && isShown,
  voice: ({ mimetype }) => mimetype === VOICE,
  sticker: ({ mimetype }) => mimetype === 'image/webp',
};

function isPlainVideo({ mimetype }: SniffedMedia): boolean {
  return mimetype === 'video/mp4';
}

/** Makes of a file what its type of content needs, and describes it. What a file is, its bytes say. */
export class FilePreparation {
  readonly #tools: MediaTools;

  constructor(tools: MediaTools) {
    this.#tools = tools;
  }

  /**
   * @param options.declared the media type that a client gave, for documents whose bytes do not say it.
   * @returns the prepared file. If its `file` is not the input, the caller closes both.
   * @throws {MediaToolError} `missing` only if the file cannot be sent without the program. @throws {WafleetError}
   * FILE_UNREADABLE if the file is of another class than its type.
   */
  async prepare(
    type: FileType,
    input: SpoolFile,
    { declared = ANY_TYPE, ...call }: MediaCall & { readonly declared?: string | undefined },
  ): Promise<PreparedFile> {
    if (input.bytes === 0) throw unreadable('empty', 'The file is empty.');
    const sniffed = await sniffMedia(input);
    if (type === 'document') return { file: input, mimetype: sniffed?.mimetype ?? declared };
    try {
      return await this.#convert(type, input, call);
    } catch (error) {
      if (!(error instanceof MediaToolError) || error.kind !== 'missing') throw error;
      if (sniffed === undefined) throw unreadable('unreadable', 'The file is of no known format.');
      if (!SENT_AS_IT_IS[type](sniffed)) throw error;
      return { file: input, mimetype: sniffed.mimetype };
    }
  }

  #convert(type: Exclude<FileType, 'document'>, input: SpoolFile, call: MediaCall): Promise<PreparedFile> {
    switch (type) {
      case 'image':
        return this.#tools.toImage(input, call);
      case 'video':
      case 'video-note':
        return this.#tools.toVideo(input, call);
      case 'gif':
        return this.#tools.toGif(input, call);
      case 'audio':
        return this.#tools.toAudio(input, call);
      case 'voice':
        return this.#tools.toVoiceNote(input, call);
      case 'sticker':
        return this.#tools.toSticker(input, call);
    }
  }
}
