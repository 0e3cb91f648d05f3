import type { WASocket } from '@whiskeysockets/baileys';

/**
 * Makes queries that wait for an answer reject when this side ends the socket. Baileys' `end` removes their listeners
 * instead (Socket/socket.js), so each of them would wait for its full minute. A message that is being sent, and a
 * worker that stops, would wait with it.
 *
 * Removal condition: `end` rejects what waits for an answer (docs/upstream.md, 27).
 */
export function rejectQueriesAtEnd({ ws }: Pick<WASocket, 'ws'>): void {
  const removeAllListeners = ws.removeAllListeners.bind(ws);
  ws.removeAllListeners = (event) => {
    const waiting = event === 'close' ? ws.listeners(event) : [];
    removeAllListeners(event);
    for (const listener of waiting) listener.call(ws);
    return ws;
  };
}
