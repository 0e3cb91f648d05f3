import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SeverablePort } from './severable-port.js';
import { waitFor } from './wait-for.js';

let echo: Server;
let port: SeverablePort;
const sockets: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  port = await SeverablePort.open(typeof address === 'object' && address !== null ? address.port : 0);
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await port.close();
  echo.close();
});

/** A connection, and what came back on it. */
function open() {
  const socket = connect(port.port, '127.0.0.1');
  const client = { socket, echoed: '', isClosed: false };
  sockets.push(socket);
  socket.on('data', (data) => {
    client.echoed += String(data);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    client.isClosed = true;
  });
  return client;
}

it('breaks connections and refuses new ones until it is restored', async () => {
  const before = open();
  before.socket.write('1');
  await waitFor(() => before.echoed === '1', { what: 'an echo' });
  port.sever();
  const refused = open();
  await waitFor(() => before.isClosed && refused.isClosed, { what: 'both closed' });
  port.restore();
  const after = open();
  after.socket.write('2');
  await waitFor(() => after.echoed === '2', { what: 'an echo' });
});

it('passes nothing on while it is frozen, and all of it afterwards', async () => {
  const before = open();
  before.socket.write('1');
  await waitFor(() => before.echoed === '1', { what: 'an echo' });
  port.freeze();
  const during = open();
  await once(during.socket, 'connect');
  before.socket.write('2');
  during.socket.write('3');
  port.restore();
  await waitFor(() => before.echoed === '12' && during.echoed === '3', { what: 'what was held back' });
  port.freeze();
  before.socket.write('4');
  port.sever();
  await waitFor(() => before.isClosed && during.isClosed, { what: 'both closed' });
  expect(before.echoed).toBe('12');
});
