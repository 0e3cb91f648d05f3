import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * More requests than one read of a connection brings while its requests are answered: Node stops reading when the
 * client does not take the answers. Requests that only wait do not stop the reading.
 */
const MAX_QUEUED = 4_096;

/** The responses of a connection that came while an earlier one was under way. */
const queues = new WeakMap<Socket, Set<ServerResponse>>();

/**
 * Makes sure that a response is closed when its connection is, and that a connection has a bounded number of them. Call
 * it when the request arrives. A response that is not queued costs nothing: Node closes it. Node 20 and 22 do not close
 * a response that is queued behind an earlier one of its connection. What is released when a response is closed would
 * then be held until the process ends. A connection with more than 4,096 in the queue is cut.
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

/** Closes a response as Node does for one that has its connection. Node then does not close it again. */
function close(response: ServerResponse): void {
  if (response.closed) return;
  Object.assign(response, { destroyed: true, _closed: true });
  response.emit('close');
}
