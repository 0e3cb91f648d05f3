import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { ffmpegPath } from '@wafleet/testkit';
import { SpoolFile, type SpoolOptions } from '../spool/spool-file.js';

const run = promisify(execFile);

/**
 * Makes a file with FFmpeg, whose name says its format.
 * @param args what comes before the file, such as `['-f', 'lavfi', '-i', 'sine=duration=2']`.
 */
export async function makeSample(name: string, args: readonly string[]): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'wafleet-sample-'));
  try {
    const path = join(folder, name);
    await run(ffmpegPath, ['-v', 'error', '-nostdin', ...args, path]);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A moving test picture. */
export function testPicture({ size = '320x240', seconds = 2, rate = 25 } = {}): string[] {
  return ['-f', 'lavfi', '-i', `testsrc=duration=${seconds}:size=${size}:rate=${rate}`];
}

/** A tone. */
export function tone(seconds = 2): string[] {
  return ['-f', 'lavfi', '-i', `sine=duration=${seconds}`];
}

export async function spoolOf(content: Buffer | string, options: SpoolOptions = {}): Promise<SpoolFile> {
  const file = await SpoolFile.open(options);
  await file.write(Readable.from([Buffer.from(content)]), { maxBytes: 1024 ** 3 });
  return file;
}

export async function contentOf(file: SpoolFile): Promise<Buffer> {
  return await file.readAt(0, file.bytes);
}
