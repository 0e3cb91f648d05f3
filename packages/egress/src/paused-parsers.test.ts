import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Client, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withPausedParser } from './paused-parsers.js';

/** More than is read ahead, so that the parser pauses; and in one piece, so that it pauses at the last byte. */
const BODY = Buffer.alloc(64 * 1024, 'a');

let server: Server;
let answer: (socket: Socket) => void;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

const headOf = (length: number) =>
  `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`;

/** Opens an answer, and resolves with its body and a promise for the end of the connection. */
async function open() {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const ended = once(socket, 'end');
  // A test that resets the connection does not wait for it.
  ended.catch(() => {});
  const client = new Client(`http://127.0.0.1:${port}`, {
    connect: (_target, done) => queueMicrotask(() => done(null, withPausedParser(socket))),
  });
  const { body } = await request(`http://127.0.0.1:${port}/`, { dispatcher: client });
  return { body, socket, client, ended };
}

describe('an answer that is not read while the server closes the connection', () => {
  test('is complete when it is read later', async () => {
    answer = (socket) => {
      socket.write(headOf(BODY.length));
      socket.end(BODY);
    };
    const { body, client, ended } = await open();
    await ended;
    expect(Buffer.from(await body.arrayBuffer()).equals(BODY)).toBe(true);
    await client.destroy();
  });

  test('fails when it was not complete', async () => {
    answer = (socket) => {
      socket.write(headOf(BODY.length + 1));
      socket.end(BODY);
    };
    const { body, client, ended } = await open();
    await ended;
    await expect(body.arrayBuffer()).rejects.toThrow();
    await client.destroy();
  });

  test('fails when the connection is reset', async () => {
    answer = (socket) => {
      socket.write(headOf(BODY.length));
      socket.write(BODY, () => socket.resetAndDestroy());
    };
    const { body, client, socket } = await open();
    body.on('error', () => {});
    // `once` of Node.js would reject with the error of the reset, which comes before or after that.
    const over = new Promise<unknown>((resolve) => {
      for (const event of ['close', 'end']) socket.once(event, resolve);
    });
    if (!socket.destroyed) await over;
    await nextTurn();
    await client.destroy();
    expect(socket.destroyed).toBe(true);
  });

  test('can be given up', async () => {
    answer = (socket) => {
      socket.write(headOf(BODY.length));
      socket.end(BODY);
    };
    const { body, client, socket, ended } = await open();
    await ended;
    body.on('error', () => {}).destroy();
    await client.destroy();
    expect(socket.destroyed).toBe(true);
  });
});

test('files that are sent one after the other leave nothing on their connection', async () => {
  const web = createHttpServer((received, response) => {
    received.resume().on('end', () => response.end());
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  const { port } = web.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const client = new Client(`http://127.0.0.1:${port}`, {
    connect: (_target, done) => queueMicrotask(() => done(null, withPausedParser(socket))),
  });
  const send = async () => {
    const body = Readable.from([Buffer.from('a file')]);
    const answered = await client.request({ path: '/', method: 'POST', body });
    await answered.body.dump();
    return socket.listenerCount('error');
  };
  const first = await send();
  for (let count = 0; count < 5; count += 1) expect(await send()).toBe(first);
  await client.destroy();
  web.close();
});
