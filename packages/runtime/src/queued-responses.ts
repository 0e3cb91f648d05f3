import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * More than one read of a connection brings while its requests are answered: Node stops to read when the answers are
 * not taken. Requests that wait hold back no reading.
 */
const MAX_QUEUED = 4_096;

/** The responses of a connection that came while an earlier one was under way. */
const queues = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Makes sure that a response is closed when its connection is, and that a connection has a bounded number of them. Call
 * it when the request arrives. A response that the connection is free for costs nothing: Node closes that. Node 20 and
 * 22 do not close one that is queued behind an earlier one of its connection, and what is released when it is closed
 * would be held until the process ends. A connection with more than 4,096 in the queue is cut.
 */
export function guardQueuedResponse({ socket }: IncomingMessage, response: ServerResponse): void {
  if (response.socket !== null) return;
  const queue = queues.get(socket) ?? startQueue(socket);
  queue.add(response);
  response.once('close', () => queue.delete(response));
  if (queue.size > MAX_QUEUED) socket.destroy();
}

/** One listener for all responses of the connection. */
function startQueue(socket: Socket): Set<ServerResponse> {
  const queue = new Set<ServerResponse>();
  queues.set(socket, queue);
  socket.once('close', () => {
    for (const response of queue) close(response);
  });
  return queue;
}

/** As Node does it for a response that has its connection; it then does not do it again. */
function close(response: ServerResponse): void {
  if (response.closed) return;
  Object.assign(response, { destroyed: true, _closed: true });
  response.emit('close');
}
