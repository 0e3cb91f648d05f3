import { type FileHandle, open } from 'node:fs/promises';
import { ffmpegPath } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OUTPUT, type OutputFile } from './children/run-child.js';
import { OPUS_OPTIONS } from './ffmpeg/encodings.js';
import { checkExit, Ffmpeg } from './ffmpeg/ffmpeg-child.js';
import { runSharp } from './sharp/sharp-child.js';
import { spoolError } from './spool/no-room.js';
import { makeSample, spoolOf, testPicture, tone } from './testing/samples.js';

const FULL = { kind: 'spool-full', isRetryable: true };
const bounds = { timeoutMs: 60_000, memoryBytes: 1024 ** 3, maxOutputBytes: 1024 ** 2 };

/** Linux' device that has no room. */
let device: FileHandle;
let output: OutputFile;

describe.skipIf(process.platform !== 'linux')('on a full disk', () => {
  beforeAll(async () => {
    device = await open('/dev/full', 'r+');
    output = { fd: device.fd, reserve: () => undefined, refresh: async () => undefined };
  });
  afterAll(() => device.close());

  it('a file that is converted by ffmpeg is not to blame', async () => {
    const ffmpeg = new Ffmpeg({ path: ffmpegPath, bounds, maxPixels: 1e6, maxSeconds: 10 });
    const input = await spoolOf(await makeSample('a.mp3', tone(1)));
    const exit = await ffmpeg.run({ input, format: 'mp3', outputs: [[...OPUS_OPTIONS, OUTPUT]], output });
    await input.close();
    expect(() => checkExit(exit)).toThrow(expect.objectContaining(FULL));
  });

  it('nor one that is converted by sharp', async () => {
    const input = await spoolOf(
      await makeSample('a.gif', testPicture({ size: '64x48', seconds: 1, rate: 5 })),
    );
    const job = { kind: 'image', maxPixels: 1e6, maxFrames: 10 } as const;
    await expect(runSharp({ job, input, output, bounds })).rejects.toMatchObject(FULL);
    await input.close();
  });

  it('nor one that is received', async () => {
    const failure = await device.write('a').catch((error: unknown) => error);
    expect(spoolError(failure)).toMatchObject(FULL);
    const other = new Error('other');
    expect(spoolError(other)).toBe(other);
  });
});
