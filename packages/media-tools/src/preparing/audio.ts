import { OUTPUT, PIPES } from '../children/run-child.js';
import { MediaToolError } from '../errors/media-tool-error.js';
import { M4A_COPY_OPTIONS, M4A_OPTIONS, OPUS_OPTIONS } from '../ffmpeg/encodings.js';
import { checkExit } from '../ffmpeg/ffmpeg-child.js';
import { checkSeconds, probeAudio } from '../ffmpeg/probe.js';
import { readWaveform, WAVEFORM_RATE } from '../ffmpeg/waveform.js';
import type { AudioDescription, PreparedAudio, PreparedVoiceNote } from '../interface/descriptions.js';
import { type MediaFormat, mimetypeOf, opusChannels } from '../sniffing/sniff-media.js';
import type { SpoolFile } from '../spool/spool-file.js';
import type { Task, Toolbox } from './toolbox.js';

/** What WhatsApp plays, by container and FFmpeg's name of the codec. */
const PLAYED: Readonly<Partial<Record<MediaFormat, string>>> = {
  mp3: 'mp3',
  m4a: 'aac',
  aac: 'aac',
  amr: 'amr_nb',
  'ogg-opus': 'opus',
};

const STREAM = ['-map', '0:a:0', '-vn', '-sn', '-dn'];

export async function describeAudio(tools: Toolbox, task: Task): Promise<AudioDescription> {
  const { seconds } = await probeAudio(tools.ffmpeg, task, tools.bounds.maxSeconds);
  return { mimetype: mimetypeOf(task.format), seconds: wholeSeconds(seconds) };
}

export async function toAudio(tools: Toolbox, task: Task): Promise<PreparedAudio> {
  const { codec, seconds } = await probeAudio(tools.ffmpeg, task, tools.bounds.maxSeconds);
  const described = { seconds: wholeSeconds(seconds) };
  if (PLAYED[task.format] === codec) {
    return { file: task.input, mimetype: mimetypeOf(task.format), ...described };
  }
  return await tools.withOutput(async (output) => {
    const options = codec === 'aac' ? M4A_COPY_OPTIONS : M4A_OPTIONS;
    checkExit(await tools.ffmpeg.run({ ...task, outputs: [[...STREAM, ...options, OUTPUT]], output }));
    return { file: output, mimetype: 'audio/mp4', ...described };
  });
}

export async function toVoiceNote(tools: Toolbox, task: Task): Promise<PreparedVoiceNote> {
  if (task.format === 'ogg-opus' && (await opusChannels(task.input)) === 1) {
    return { file: task.input, ...(await listen(tools, task)) };
  }
  return await tools.withOutput(async (output) => ({ file: output, ...(await listen(tools, task, output)) }));
}

/** Decodes the sound once, for the waveform and, if there is an output, for the voice note. */
async function listen(
  tools: Toolbox,
  task: Task,
  output?: SpoolFile,
): Promise<Omit<PreparedVoiceNote, 'file'>> {
  let heard: Awaited<ReturnType<typeof readWaveform>> | undefined;
  const pcm = [...STREAM, '-ac', '1', '-ar', String(WAVEFORM_RATE), '-f', 's16le', PIPES[0]];
  const exit = await tools.ffmpeg.run({
    ...task,
    outputs: output === undefined ? [pcm] : [pcm, [...STREAM, ...OPUS_OPTIONS, OUTPUT]],
    readers: [
      async (pipe) => {
        heard = await readWaveform(pipe);
      },
    ],
    ...(output && { output }),
  });
  checkExit(exit);
  if (heard === undefined || heard.seconds === 0) {
    throw new MediaToolError('unreadable', 'The file has no sound that can be read.');
  }
  checkSeconds(heard.seconds, tools.bounds.maxSeconds);
  const { seconds, waveform } = heard;
  return { mimetype: mimetypeOf('ogg-opus'), seconds: wholeSeconds(seconds), waveform };
}

function wholeSeconds(seconds: number): number {
  return Math.max(1, Math.round(seconds));
}
