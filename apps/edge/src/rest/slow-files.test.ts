import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { waitFor } from '@wafleet/testkit';
import { afterEach, expect, it } from 'vitest';
import { useSending } from '../testing/sending-fixture.js';
import type { TestEdge } from '../testing/test-edge.js';

const fixture = useSending({ media: { stallMs: 500 }, uploads: { atOnce: 1 } });

const JSON_PART =
  '--b\r\ncontent-disposition: form-data; name="upload"\r\n\r\n{"type":"document"}\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Begins an upload of several parts, whose end the client leaves open. */
async function begin(edge: TestEdge, body: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { hostname, port } = new URL(edge.url);
  const socket = connect(Number(port), hostname);
  open.push(socket);
  await once(socket, 'connect');
  socket.write(
    'POST /api/sessions/shop-1/uploads HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n' +
      `authorization: Bearer ${fixture.tenant.key}\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n` +
      chunk(body),
  );
  let text = '';
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  const answer = waitFor(() => (text.includes('REQUEST_TIMEOUT') ? text : undefined), { what: 'the answer' });
  return { socket, answer };
}

const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

const placesTaken = (count: number) =>
  waitFor(async () => (await fixture.edge.metrics.text()).includes(`wafleet_edge_media_uploads ${count}\n`), {
    what: `${count} places are taken`,
  });

it('a client that sends a file, and then never ends its request, loses its place', async () => {
  const { answer } = await begin(fixture.edge, `${JSON_PART}a file\r\n--b--\r\n`);
  expect(await answer).toMatch(/^HTTP\/1.1 408 [\s\S]*REQUEST_TIMEOUT/);
  await placesTaken(0);
});

it('a client that goes on after the last part loses it too', async () => {
  const { socket, answer } = await begin(fixture.edge, `${JSON_PART}a file\r\n--b--\r\n`);
  const more = setInterval(() => socket.write(chunk('more')), 50);
  try {
    expect(await answer).toMatch(/^HTTP\/1.1 408 [\s\S]*REQUEST_TIMEOUT/);
  } finally {
    clearInterval(more);
  }
  await placesTaken(0);
});

it('a client that sends a byte now and then loses it too', async () => {
  const { socket, answer } = await begin(fixture.edge, JSON_PART);
  const more = setInterval(() => socket.write(chunk('x')), 50);
  try {
    expect(await answer).toMatch(/^HTTP\/1.1 408 [\s\S]*REQUEST_TIMEOUT/);
  } finally {
    clearInterval(more);
  }
  await placesTaken(0);
});
