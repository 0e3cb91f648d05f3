import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RawConnection } from './raw-connection.js';
import { waitFor } from './wait-for.js';

const OPENED = Buffer.from('8102307b', 'hex');

let server: Server;
let connection: RawConnection;
/** The server's end, and the bytes received there after the upgrade request. */
let peer: Socket;
let received: Buffer;

beforeEach(async () => {
  received = Buffer.alloc(0);
  server = createServer((socket) => {
    peer = socket.on('error', () => {});
    socket.once('data', () => {
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
      });
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n'), OPENED]));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  connection = await RawConnection.open(`http://127.0.0.1:${port}`);
});

afterEach(() => {
  connection?.close();
  server.close();
});

async function receives(hex: string): Promise<void> {
  await waitFor(() => received.length >= hex.length / 2, { what: 'the frame arrives' });
  expect(received.toString('hex')).toBe(hex);
}

it.each([
  [125, '81fd'],
  [126, '81fe007e'],
  [65_535, '81feffff'],
  [65_536, '81ff0000000000010000'],
])('sends %i bytes with their length', async (count, head) => {
  connection.send('x'.repeat(count));
  await receives(`${head}00000000${'78'.repeat(count)}`);
});

it('sends frames of any kind', async () => {
  connection.send('40', { opcode: 0x3, isMasked: false });
  connection.send('4', { isFinal: false });
  await receives('8302343001810000000034');
});

it('reads frames of each length, however they are cut, and keeps their bytes', async () => {
  const texts = ['', 'é', 'x'.repeat(126), 'y'.repeat(65_536)];
  const frames = [
    '8100',
    '8102c3a9',
    `817e007e${'78'.repeat(126)}`,
    `817f0000000000010000${'79'.repeat(65_536)}`,
  ];
  const bytes = Buffer.from(frames.join(''), 'hex');
  peer.setNoDelay(true);
  for (const byte of bytes.subarray(0, 300)) {
    peer.write(Buffer.from([byte]));
    await nextTurn();
  }
  peer.write(bytes.subarray(300));
  await waitFor(() => connection.messages.length === 5, { what: 'all texts arrive' });
  expect(connection.messages).toEqual(['0{', ...texts]);
  expect(connection.bytes.equals(Buffer.concat([OPENED, bytes]))).toBe(true);
  connection.forget();
  expect(connection.messages).toEqual([]);
  expect(connection.bytes).toHaveLength(0);
});

it('shows the close frame, and answers it', async () => {
  peer.write(Buffer.from('88040fa8', 'hex'));
  peer.write('hi');
  await receives('8884000000000fa86869');
  expect(connection.closeFrame).toEqual({ code: 4008, reason: 'hi' });
  peer.end();
  await waitFor(() => connection.isEnded, { what: 'the end' });
});

it('joins a namespace, and gets the answer, or the end', async () => {
  const joining = connection.join('/api/events', { token: 'x' });
  await receives(`819b00000000${Buffer.from('40/api/events,{"token":"x"}').toString('hex')}`);
  const answer = '44/api/events,{}';
  peer.write(Buffer.from([0x81, answer.length]));
  peer.write(answer);
  expect(await joining).toBe(answer);
  const other = connection.join('/');
  peer.end();
  expect(await other).toBe('');
});
