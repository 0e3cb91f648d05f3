import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { ffmpegPath, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkExit, Ffmpeg } from './ffmpeg/ffmpeg-child.js';
import { runSharp } from './sharp/sharp-child.js';
import type { MediaFormat } from './sniffing/sniff-media.js';
import { SpoolBudget } from './spool/spool-budget.js';
import { prepare, testCall, testTools, withFile } from './testing/prepared.js';
import { contentOf, makeSample, spoolOf, testPicture, tone } from './testing/samples.js';

const bounds = { timeoutMs: 60_000, memoryBytes: 1024 ** 3, maxOutputBytes: 1024 ** 2 };

/** Counts who asks it for anything. */
let server: Server;
let requests = 0;
let url: string;

/** A file of this machine that is a good part of a playlist. */
let segment: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wafleet-hostile-'));
  segment = join(folder, 'segment.ts');
  await writeFile(segment, await makeSample('a.ts', testPicture({ size: '64x48', seconds: 1, rate: 5 })));
  server = createServer((_request, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/segment.ts`;
});

afterAll(async () => {
  server.close();
  await rm(dirname(segment), { recursive: true });
});

describe('a file that names others', () => {
  const scripts = () => [
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${url}\n#EXT-X-ENDLIST\n`,
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n`,
    `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${segment}\n#EXT-X-ENDLIST\n`,
    `ffconcat version 1.0\nfile '${url}'\n`,
    "ffconcat version 1.0\nfile '/etc/passwd'\n",
    `<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="${url}"/><image href="file:///etc/passwd"/></svg>`,
    `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><text>&x;</text></svg>`,
    `push graphic-context\nimage over 0,0 0,0 '${url}'\npop graphic-context\n`,
    `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n`,
  ];

  it('is refused before any program sees it', async () => {
    const tools = testTools();
    for (const script of scripts()) {
      for (const method of Object.values({ ...tools })) {
        await expect(withFile<object>(script, method)).rejects.toMatchObject({ kind: 'unreadable' });
      }
    }
    expect(requests).toBe(0);
  });

  it.each<MediaFormat>(['mp4', 'matroska', 'mpeg-ts', 'mp3', 'gif'])(
    'is not followed by ffmpeg as a file of %s',
    async (format) => {
      const ffmpeg = new Ffmpeg({ path: ffmpegPath, bounds, maxPixels: 1e6, maxSeconds: 10 });
      for (const script of scripts()) {
        // MP3 is looked for everywhere in a file.
        const input = await spoolOf(script.padEnd(1_000, ' '));
        const outputs = [['-map', '0', '-c', 'copy', '-f', 'framecrc', 'pipe:1']];
        const exit = await ffmpeg.run({ input, format, outputs });
        expect(() => checkExit(exit)).toThrow();
        await input.close();
      }
      expect(requests).toBe(0);
    },
  );

  it('is not read by sharp', async () => {
    for (const script of scripts().filter((text) => /^(<|push)/.test(text))) {
      const input = await spoolOf(script);
      const job = { kind: 'describe', maxPixels: 1e6, maxFrames: 10 } as const;
      await expect(runSharp({ job, input, bounds })).rejects.toMatchObject({ kind: 'unreadable' });
      await input.close();
    }
    expect(requests).toBe(0);
  });
});

describe('a file that becomes too large', () => {
  it('is refused for its pixels: a PNG of 20,000 x 20,000', async () => {
    const bomb = emptyPng(20_000, 20_000);
    expect(bomb.length).toBeLessThan(100_000);
    const tools = testTools();
    for (const method of [tools.toImage, tools.toSticker]) {
      await expect(withFile<object>(bomb, method)).rejects.toMatchObject({
        kind: 'too-large',
        bound: 'pixels',
      });
    }
  });

  it('is refused for its frames: a GIF of 20,000', async () => {
    const bomb = manyFrames(20_000);
    const tools = testTools();
    for (const method of [tools.toGif, tools.toSticker]) {
      await expect(withFile<object>(bomb, method)).rejects.toMatchObject({
        kind: 'too-large',
        bound: 'frames',
      });
    }
  });

  it('is refused for its length', async () => {
    const tools = testTools({ maxSeconds: 1 });
    const sound = await makeSample('a.mp3', tone(3));
    for (const method of [tools.toAudio, tools.toVoiceNote]) {
      await expect(withFile<object>(sound, method)).rejects.toMatchObject({
        kind: 'too-large',
        bound: 'seconds',
      });
    }
    const video = await makeSample('a.mp4', testPicture({ size: '64x48', seconds: 3, rate: 5 }));
    await expect(withFile(video, tools.toVideo)).rejects.toMatchObject({
      kind: 'too-large',
      bound: 'seconds',
    });
  });

  it('is refused for the pixels of a video', async () => {
    const tools = testTools({ maxPixels: 1_000 });
    const video = await makeSample('a.mp4', testPicture({ size: '64x48', seconds: 1, rate: 5 }));
    await expect(withFile(video, tools.toVideo)).rejects.toMatchObject({
      kind: 'too-large',
      bound: 'pixels',
    });
  });

  it('is refused for the bytes that it becomes', async () => {
    const tools = testTools({ maxOutputBytes: 5_000 });
    const video = await makeSample('a.webm', testPicture({ size: '320x240', seconds: 1 }));
    await expect(withFile(video, tools.toVideo)).rejects.toMatchObject({ kind: 'too-large', bound: 'bytes' });
  });

  it('gives all of the spool back', async () => {
    const budget = new SpoolBudget(200 * 1024 ** 2);
    const tools = testTools({ spool: { budget }, maxOutputBytes: 5_000 });
    const video = await makeSample('a.webm', testPicture({ size: '320x240', seconds: 1 }));
    await expect(withFile(video, tools.toVideo)).rejects.toMatchObject({ kind: 'too-large' });
    expect(budget.used).toBe(0);
    const { isSame } = await prepare(
      await makeSample('a.gif', testPicture({ seconds: 1 })),
      testTools({ spool: { budget } }).toGif,
    );
    expect(isSame).toBe(false);
    expect(budget.used).toBe(0);
  });
});

describe('a long video', () => {
  let video: Buffer;

  beforeAll(async () => {
    video = await makeSample('a.avi', testPicture({ size: '640x480', seconds: 10 }));
  });

  it('is given up when it takes too long', async () => {
    const tools = testTools({ timeoutMs: 50 });
    await expect(withFile(video, tools.toVideo)).rejects.toMatchObject({ kind: 'timeout' });
  });

  it('is given up when the signal aborts, and leaves nothing in the spool', async () => {
    const budget = new SpoolBudget(200 * 1024 ** 2);
    const tools = testTools({ spool: { budget } });
    const input = await spoolOf(video);
    const abort = new AbortController();
    const converting = tools.toVideo(input, { ...testCall, signal: abort.signal });
    await waitFor(() => budget.used > 0, { what: 'the conversion to begin', intervalMs: 5 });
    abort.abort(new Error('the client left'));
    await expect(converting).rejects.toThrow('the client left');
    expect(budget.used).toBe(0);
    // The input is the caller's.
    expect((await contentOf(input)).equals(video)).toBe(true);
    await input.close();
  });
});

it('without ffmpeg, says what is missing', async () => {
  const tools = testTools({ ffmpegPath: '/nowhere/ffmpeg' });
  const sound = await makeSample('a.mp3', tone(1));
  const failure = withFile(sound, tools.toVoiceNote);
  await expect(failure).rejects.toMatchObject({ kind: 'missing', tool: 'ffmpeg' });
  await expect(failure).rejects.toThrow(/FFMPEG_PATH/);
});

/** A PNG of one bit a pixel, all of them black: a few kilobytes. */
function emptyPng(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 1;
  const rows = deflateSync(Buffer.alloc(height * (1 + Math.ceil(width / 8))));
  const chunks = [pngChunk('IHDR', head), pngChunk('IDAT', rows), pngChunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** As PNG has it (RFC 2083, 15). Node.js 20 has none. */
function crc32(data: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** A GIF of one pixel and `count` frames. */
function manyFrames(count: number): Buffer {
  const head = Buffer.from('GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0', 'latin1');
  const frame = Buffer.from('!\xf9\x04\0\x02\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0', 'latin1');
  return Buffer.concat([head, ...Array<Buffer>(count).fill(frame), Buffer.from(';')]);
}
