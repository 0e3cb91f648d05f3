import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import { type WebSocket, WebSocketServer } from 'ws';
import { floorChannel } from '../protocol.js';

/**
 * The minimum that Node can do for an event from Redis: it is sent unchanged to each WebSocket of its tenant, with one
 * `send` of a string each. No authentication, no log, no parsing, no protocol above WebSocket.
 */

const [redisUrl = '', port = '0'] = process.argv.slice(2);
const redis = new Redis(redisUrl, { enableReadyCheck: false });
const subscribers = new Map<string, Set<WebSocket>>();

redis.on('smessage', (channel: string, message: string) => {
  for (const socket of subscribers.get(channel) ?? []) socket.send(message);
});

const http = createServer((_request, response) => response.end('ready'));
const server = new WebSocketServer({ server: http, perMessageDeflate: false });
server.on('connection', async (socket, request) => {
  const channel = floorChannel(new URL(request.url ?? '', 'http://floor').searchParams.get('tenantId') ?? '');
  const sockets = subscribers.get(channel) ?? new Set();
  subscribers.set(channel, sockets);
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  await redis.ssubscribe(channel);
  socket.send('subscribed');
});
http.listen(Number(port), '127.0.0.1');
