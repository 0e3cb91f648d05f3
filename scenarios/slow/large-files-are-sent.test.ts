import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sentMessageSchema } from '@wafleet/contract';
import { type Cluster, ffmpegPath, startCluster, type TestTenant } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Phone } from '../support/linked-sessions.js';

const MIB = 1024 * 1024;
const VIDEO_BYTES = 50 * MIB;
/** How much more memory an edge may have at any time while it takes a file. */
const MAX_GROWTH_BYTES = 10 * MIB;
const WARM_UPS = 8;
const MEASURED = 4;

const folder = mkdtempSync(join(tmpdir(), 'wafleet-large-'));
const params = { id: 'shop' };
let cluster: Cluster;
let tenant: TestTenant;
let carl: Phone;
let video: Buffer;

beforeAll(async () => {
  video = await largeVideo();
  cluster = await startCluster({ environment: { FETCH_ALLOW: '127.0.0.1' } });
  tenant = await cluster.addTenant();
  carl = cluster.simulator.addPhone({ name: 'Carl' });
  await tenant.client.call('create-session', { body: params });
  await cluster.linkByQr(tenant.client, 'shop', cluster.simulator.addPhone({ name: 'Anna' }));
});

afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true });
});

/** A short video of 50 MiB: most of it is a box that players skip. */
async function largeVideo(): Promise<Buffer> {
  const path = join(folder, 'short.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=duration=1:rate=5:size=160x120', '-pix_fmt', 'yuv420p'];
  await promisify(execFile)(ffmpegPath, ['-v', 'error', '-nostdin', ...source, path]);
  const short = readFileSync(path);
  const box = Buffer.alloc(VIDEO_BYTES - short.length, 0x5a);
  box.writeUInt32BE(box.length);
  box.write('free', 4);
  return Buffer.concat([short, box]);
}

/** The resident memory of the edge, and the most that it was since the last call. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  // Begins the next peak.
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}

async function sendInRequest(): Promise<string> {
  const body = new FormData();
  body.append('message', JSON.stringify({ to: carl.number, content: { type: 'video', caption: 'large' } }));
  body.append('file', new Blob([new Uint8Array(video)]));
  const response = await fetch(`${cluster.edges[0]?.url}/api/sessions/shop/messages`, {
    method: 'POST',
    headers: { 'x-api-key': tenant.apiKey },
    body,
  });
  const answer = await response.json();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return sentMessageSchema.parse(answer).messageId;
}

async function sendByUrl(url: string): Promise<string> {
  const content = { type: 'video' as const, file: { url } };
  const { messageId } = await tenant.client.call('send-message', {
    params,
    body: { to: carl.number, content },
  });
  return messageId;
}

test.skipIf(process.platform !== 'linux')(
  'a video of 50 MiB costs an edge less than 10 MiB of memory, and arrives byte for byte',
  async () => {
    const web = createServer((_request, response) => response.end(video));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/`;
    const pid = cluster.edges[0]?.process.pid ?? 0;
    const send = (turn: number) => (turn % 2 === 0 ? sendInRequest() : sendByUrl(url));
    const cold = memoryOf(pid).now;
    for (let turn = 0; turn < WARM_UPS; turn += 1) await send(turn);
    const warm = memoryOf(pid).now;
    const growths: number[] = [];
    for (let turn = 0; turn < MEASURED; turn += 1) {
      const before = memoryOf(pid).now;
      const messageId = await send(turn);
      growths.push(memoryOf(pid).peak - before);
      const received = await carl.waitForMessage(({ id }) => id === messageId);
      expect((await carl.openMedia(received)).equals(video)).toBe(true);
    }
    web.close();
    const shown = growths.map((growth) => `${(growth / MIB).toFixed(1)} MiB`).join(', ');
    const [first, rest] = [cold, warm].map((bytes) => `${(bytes / MIB).toFixed(0)} MiB`);
    process.stdout.write(
      `[memory] an edge of ${rest} (${first} before the first file) grew by ${shown} while it took a video of 50 MiB\n`,
    );
    expect(Math.max(...growths)).toBeLessThan(MAX_GROWTH_BYTES);
  },
);
