import { ChildTurns } from './children/child-turns.js';
import { MediaToolError } from './errors/media-tool-error.js';
import type { MediaCall, MediaTools, MediaToolsOptions } from './interface/media-tools.js';
import { describeAudio, toAudio, toVoiceNote } from './preparing/audio.js';
import { describeImage, toImage, toLinkThumbnail } from './preparing/images.js';
import { toSticker } from './preparing/stickers.js';
import { type Task, Toolbox } from './preparing/toolbox.js';
import { describeVideo, toGif, toVideo } from './preparing/videos.js';
import { sniffFormat } from './sniffing/sniff-media.js';
import type { SpoolFile } from './spool/spool-file.js';

export function createMediaTools(options: MediaToolsOptions = {}): MediaTools {
  const tools = new Toolbox(options);
  const turns = new ChildTurns(options.atOnce ?? 2, options.maxWaiting ?? 100);

  /** A file of an unknown format does not wait, and never reaches a program. */
  const inTurn =
    <T>(work: (tools: Toolbox, task: Task) => Promise<T>) =>
    async (input: SpoolFile, call: MediaCall): Promise<T> => {
      const format = await sniffFormat(input);
      if (format === undefined) {
        throw new MediaToolError(
          'unreadable',
          'The file is neither a picture, nor a video, nor audio of a known type.',
        );
      }
      const { signal } = call;
      return await turns.run(call, () => work(tools, { input, format, ...(signal && { signal }) }));
    };

  return {
    describeImage: inTurn(describeImage),
    describeVideo: inTurn(describeVideo),
    describeAudio: inTurn(describeAudio),
    toLinkThumbnail: inTurn(toLinkThumbnail),
    toImage: inTurn(toImage),
    toVideo: inTurn(toVideo),
    toGif: inTurn(toGif),
    toAudio: inTurn(toAudio),
    toVoiceNote: inTurn(toVoiceNote),
    toSticker: inTurn(toSticker),
  };
}
