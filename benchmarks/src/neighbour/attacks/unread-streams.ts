import { connect, type Socket } from 'node:net';
import { EventsSocket } from '../events-socket.js';
import { ATTACKER_ADDRESS, type Attack, aborted, loop, type Target } from './attack.js';

const SOCKETS = 360;
const STREAMS = 594;
const CONNECTING_AT_ONCE = 50;
const RETRY_MS = 1_000;

/** Many clients of one key request all past events and read none of them. */
export const unreadStreams: Attack = async (target) => {
  const { scale, signal } = target;
  const socketsLeft = { count: Math.round(SOCKETS * scale) };
  const streamsLeft = { count: Math.round(STREAMS * scale) };
  const open = new Set<{ cut(): void }>();
  await loop(CONNECTING_AT_ONCE, signal, async () => {
    if (socketsLeft.count > 0) {
      socketsLeft.count -= 1;
      await openSocket(target, open);
    } else if (streamsLeft.count > 0) {
      streamsLeft.count -= 1;
      await openStream(target, open);
    } else await aborted(signal);
  });
  for (const each of open) each.cut();
};

async function openSocket({ port, tenant, tally, signal }: Target, open: Set<{ cut(): void }>) {
  const { listKey: apiKey } = tenant;
  try {
    const socket = await EventsSocket.connect({ port, apiKey, localAddress: ATTACKER_ADDRESS });
    tally.add('Socket.IO clients');
    open.add(socket);
    void socket.closed.then((reason) => {
      open.delete(socket);
      if (!signal.aborted) tally.add(`Socket.IO client closed: ${reason}`);
    });
    // A client that does not read gets no acknowledgement either.
    void socket.subscribe({ events: ['*'], since: '0-0' });
    socket.pause();
  } catch (error) {
    tally.add(`Socket.IO client refused: ${error instanceof Error ? error.message : error}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function openStream({ port, tenant, tally, signal }: Target, open: Set<{ cut(): void }>) {
  const socket: Socket = connect({ host: '127.0.0.1', port, localAddress: ATTACKER_ADDRESS });
  const stream = { cut: () => socket.destroy() };
  await new Promise<void>((resolve) => {
    socket.once('connect', () => {
      open.add(stream);
      tally.add('SSE clients');
      socket.write(
        [
          'GET /api/events?events=*&since=0-0 HTTP/1.1',
          `Host: 127.0.0.1:${port}`,
          `X-Api-Key: ${tenant.listKey}`,
          'Accept: text/event-stream',
          '\r\n',
        ].join('\r\n'),
      );
      socket.once('data', (head) => {
        socket.pause();
        const [, status = '?'] = /^HTTP\/1\.1 (\d+)/.exec(head.toString('latin1', 0, 20)) ?? [];
        tally.add(`SSE client: status ${status}`);
        resolve();
      });
    });
    socket.once('error', (error) => tally.add(`SSE client: ${error.message}`));
    socket.once('close', () => {
      open.delete(stream);
      if (!signal.aborted) tally.add('SSE client closed');
      resolve();
    });
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
