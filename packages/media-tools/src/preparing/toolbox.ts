import type { ChildBounds } from '../children/run-child.js';
import { Ffmpeg } from '../ffmpeg/ffmpeg-child.js';
import type { Prepared } from '../interface/descriptions.js';
import type { MediaToolsOptions } from '../interface/media-tools.js';
import { runSharp } from '../sharp/sharp-child.js';
import type { SharpJob, SharpResult } from '../sharp/sharp-jobs.js';
import type { MediaFormat } from '../sniffing/sniff-media.js';
import { SpoolFile, type SpoolOptions } from '../spool/spool-file.js';

/** A file whose turn it is. */
export interface Task {
  input: SpoolFile;
  format: MediaFormat;
  signal?: AbortSignal;
}

/** The programs and the bounds that all conversions share. */
export class Toolbox {
  readonly ffmpeg: Ffmpeg;
  readonly bounds: { maxPixels: number; maxFrames: number; maxSeconds: number };
  readonly #childBounds: ChildBounds;
  readonly #spool: SpoolOptions;

  constructor(options: MediaToolsOptions) {
    const { ffmpegPath = 'ffmpeg', maxPixels = 50_000_000, maxFrames = 1_000, maxSeconds = 3_600 } = options;
    this.#childBounds = {
      timeoutMs: options.timeoutMs ?? 120_000,
      memoryBytes: options.memoryBytes ?? 1024 ** 3,
      maxOutputBytes: options.maxOutputBytes ?? 100 * 1024 ** 2,
    };
    this.#spool = options.spool ?? {};
    this.bounds = { maxPixels, maxFrames, maxSeconds };
    this.ffmpeg = new Ffmpeg({ path: ffmpegPath, bounds: this.#childBounds, maxPixels, maxSeconds });
  }

  /** @throws MediaToolError; the signal's reason. */
  async sharp(
    kind: SharpJob['kind'],
    { input, signal }: Pick<Task, 'input' | 'signal'>,
    output?: SpoolFile,
  ): Promise<SharpResult> {
    const { maxPixels, maxFrames } = this.bounds;
    return await runSharp({
      job: { kind, maxPixels, maxFrames },
      input,
      bounds: this.#childBounds,
      ...(output && { output }),
      ...(signal && { signal }),
    });
  }

  /** Gives `work` a new file. It is closed if `work` throws; otherwise that is up to `work` or its caller. */
  async withOutput<T>(work: (output: SpoolFile) => Promise<T>): Promise<T> {
    const output = await SpoolFile.open(this.#spool);
    try {
      return await work(output);
    } catch (error) {
      await output.close();
      throw error;
    }
  }

  /** Gives `work` a new file that is closed afterwards, unless it is what `work` prepared. */
  async withTemporary<T extends Prepared>(work: (file: SpoolFile) => Promise<T>): Promise<T> {
    return await this.withOutput(async (file) => {
      const result = await work(file);
      if (result.file !== file) await file.close();
      return result;
    });
  }
}
