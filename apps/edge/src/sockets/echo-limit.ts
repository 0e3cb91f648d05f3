import type { Server as HttpServer } from 'node:http';
import { extendWebSockets, type ServerSocketClass } from '../engine/pongs.js';
import type { EventServer } from './event-socket.js';

/**
 * Maximum bytes of what a client sent that the edge sends back over the connection. An API key has 46, so a client
 * whose frames are damaged never gets its own key in an answer.
 */
export const MAX_ECHOED_BYTES = 32;
/** WebSocket's code for what an endpoint does not accept (RFC 6455, section 7.4.1). */
const POLICY_VIOLATION = 1008;

/**
 * Closes WebSockets whose client sends a ping of more than MAX_ECHOED_BYTES. A pong repeats its ping, of up to 125
 * bytes (RFC 6455, section 5.5.3), so a frame with a damaged opcode would be sent back with all that it holds. The
 * pings of common clients have 0 to 12 bytes.
 */
export function limitPongs(io: Pick<EventServer, 'engine'>, http: HttpServer): void {
  const limit = () => extendWebSockets(io, withLimitedPongs);
  limit();
  // Engine.IO makes its WebSocket server a second time at that point.
  http.on('listening', limit);
}

function withLimitedPongs(Base: ServerSocketClass): ServerSocketClass {
  return class extends Base {
    override pong(data: unknown, ...more: unknown[]): void {
      if (data instanceof Uint8Array && data.length > MAX_ECHOED_BYTES) {
        this.close(POLICY_VIOLATION, `a ping may have ${MAX_ECHOED_BYTES} bytes`);
        return;
      }
      super.pong(data, ...more);
    }
  };
}
