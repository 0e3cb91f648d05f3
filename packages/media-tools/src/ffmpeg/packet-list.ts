import type { Readable } from 'node:stream';
import { MediaToolError } from '../errors/media-tool-error.js';

/** A stream of a file, as FFmpeg's `framecrc` format lists it. */
export interface ListedStream {
  /** FFmpeg's name, such as `h264`, `aac` or `rawvideo`. */
  codec: string;
  isVideo: boolean;
  /** Of video; 0 if it is not known. */
  width: number;
  height: number;
  packets: number;
  /** From the start of the first packet to the end of the last one. */
  seconds: number;
  /** The bytes of the first packet. */
  firstBytes: number;
}

/** A list of more packets is not read to its end: an hour of video and sound has about 400,000. */
const MAX_PACKETS = 2_000_000;

const MAX_LINE = 1_000;

interface Span {
  start: number;
  end: number;
  /** Seconds of a tick. */
  tick: number;
}

/**
 * Reads what `-f framecrc` writes: a head with a line for each fact of a stream (`#dimensions 0: 320x240`), then a line
 * for each packet (`0, dts, pts, duration, size, checksum`). Unlike what FFmpeg says to people, this format is made to be
 * compared by programs, and has been the same since 2012.
 *
 * It tells the length of a file by its packets, whatever the file's head says.
 */
export async function readPacketList(stdout: Readable): Promise<ListedStream[]> {
  const streams: ListedStream[] = [];
  const spans: Span[] = [];
  let packets = 0;
  for await (const line of linesOf(stdout)) {
    if (line.startsWith('#')) {
      readFact(line, streams, spans);
      continue;
    }
    packets += 1;
    if (packets > MAX_PACKETS) {
      throw new MediaToolError('too-large', 'The file has too many frames.', { bound: 'frames' });
    }
    readPacket(line, streams, spans);
  }
  return streams.map((stream, index) => ({ ...stream, seconds: secondsOf(spans[index]) }));
}

/** Lines are short: what comes without an end is cut off, so that it does not fill the memory. */
async function* linesOf(stdout: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stdout) {
    const lines = `${rest}${chunk.toString('latin1')}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE);
    yield* lines;
  }
  if (rest !== '') yield rest;
}

const FACT = /^#(\w+) (\d): (.*)$/;

function readFact(line: string, streams: ListedStream[], spans: Span[]): void {
  const [, name, number, value = ''] = FACT.exec(line) ?? [];
  if (name === undefined) return;
  const index = Number(number);
  streams[index] ??= {
    codec: '',
    isVideo: false,
    width: 0,
    height: 0,
    packets: 0,
    seconds: 0,
    firstBytes: 0,
  };
  spans[index] ??= { start: Number.POSITIVE_INFINITY, end: Number.NEGATIVE_INFINITY, tick: 0 };
  const stream = streams[index];
  if (name === 'codec_id') stream.codec = value;
  if (name === 'media_type') stream.isVideo = value === 'video';
  if (name === 'dimensions') [stream.width = 0, stream.height = 0] = value.split('x').map(Number);
  if (name === 'tb') {
    const [numerator = 0, denominator = 1] = value.split('/').map(Number);
    spans[index].tick = numerator / denominator;
  }
}

function readPacket(line: string, streams: ListedStream[], spans: Span[]): void {
  const [index = -1, dts = 0, pts = 0, duration = 0, bytes = 0] = line.split(',', 5).map(Number);
  const stream = streams[index];
  const span = spans[index];
  if (stream === undefined || span === undefined) return;
  if (stream.packets === 0) stream.firstBytes = bytes;
  stream.packets += 1;
  // AVI has no times at which frames are shown.
  const time = [pts, dts].find(isTime);
  if (time === undefined) return;
  span.start = Math.min(span.start, time);
  span.end = Math.max(span.end, time + duration);
}

/** FFmpeg writes the smallest 64-bit number for a time that is not known. */
function isTime(value: number): boolean {
  return Math.abs(value) < 2 ** 62;
}

function secondsOf(span: Span | undefined): number {
  return span === undefined || span.end < span.start ? 0 : (span.end - span.start) * span.tick;
}
