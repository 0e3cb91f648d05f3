import {
  CLOSE_REASONS,
  type CloseReason,
  CONNECTION_CLOSING_EVENT,
  describeClosing,
} from '@wafleet/contract';
import type { Connection } from '../engine/connection.js';
import { webSocketOf } from '../engine/web-socket.js';
import { waitingPackets } from '../engine/write-buffer.js';
import type { EventNamespace } from '../fanout/encoded-event.js';

/** How long a client may take to read that its connection ends, before it is cut off. */
const GRACE_MS = 5_000;

/**
 * Ends a connection and reports the reason: by the event `connection.closing` on each of the namespaces given, and over
 * WebSocket by the code and reason of the close frame. What waits to be sent is dropped. A client that should not
 * connect again is also disconnected from the namespaces, after which Socket.IO's clients stay away. A client that does
 * not read the reason within 5 s is cut off; at once if `isCut`. A connection that is ending already is left alone.
 */
export function closeConnection(
  connection: Connection,
  reason: CloseReason,
  namespaces: readonly EventNamespace[],
  isCut = false,
): void {
  if (connection.readyState !== 'open') return;
  const { code, reconnect } = CLOSE_REASONS[reason];
  const reported = JSON.stringify([CONNECTION_CLOSING_EVENT, describeClosing(reason)]);
  const packets = namespaces.flatMap((namespace) => {
    const address = namespace === '/' ? '' : `${namespace},`;
    return reconnect ? [`2${address}${reported}`] : [`2${address}${reported}`, `1${address}`];
  });
  waitingPackets(connection).length = 0;

  const webSocket = webSocketOf(connection);
  if (isCut) {
    connection.close(true);
    webSocket?.terminate();
    return;
  }
  if (webSocket === undefined) {
    for (const packet of packets) connection.write(packet, { compress: false });
    connection.close();
    setTimeout(() => connection.close(true), GRACE_MS).unref();
    return;
  }
  // Bypasses Engine.IO, which writes nothing while the transport is not writable, and closes without a code.
  for (const packet of packets) webSocket.send(`4${packet}`);
  webSocket.close(code, reason);
  connection.close();
  setTimeout(() => webSocket.terminate(), GRACE_MS).unref();
}
