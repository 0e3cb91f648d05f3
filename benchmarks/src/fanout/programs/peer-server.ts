import { createServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { NAMESPACE } from '../raw-client.js';

/** A stock Socket.IO server with the stock Redis adapter, as its documentation sets it up; a tenant is a room. */

const [redisUrl = '', port = '0'] = process.argv.slice(2);
const publisher = new Redis(redisUrl);
const http = createServer((_request, response) => response.end('ready'));
const io = new Server(http, { adapter: createAdapter(publisher, publisher.duplicate()) });

io.of(NAMESPACE).on('connection', (socket) => {
  const { tenantId } = socket.handshake.auth;
  socket.on('subscribe', async (_request: unknown, acknowledge: (answer: { ok: boolean }) => void) => {
    await socket.join(String(tenantId));
    acknowledge({ ok: true });
  });
});
http.listen(Number(port), '127.0.0.1');
