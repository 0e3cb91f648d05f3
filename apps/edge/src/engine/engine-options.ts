import type { ServerOptions } from 'socket.io';

/** The path under which Socket.IO is served. */
export const SOCKET_PATH = '/socket.io/';
/** Larger than any valid subscription. */
export const MAX_FRAME_BYTES = 100_000;
/** How long a connection may take to ask for a namespace. */
const CONNECT_WITHIN_MS = 15_000;
/** Maximum age of the proof of what has arrived: a pong proves that everything sent before its ping has arrived. */
const PING_INTERVAL_MS = 10_000;

/**
 * The options of Socket.IO and Engine.IO that do not depend on the environment. Socket.IO's own connection state
 * recovery stays off, since it gives events a second argument, which python-socketio's listeners do not take.
 * perMessageDeflate stays off, since it costs 4 to 9 times the CPU and 16 times the memory.
 */
export const ENGINE_OPTIONS = {
  transports: ['polling', 'websocket'],
  maxHttpBufferSize: MAX_FRAME_BYTES,
  connectTimeout: CONNECT_WITHIN_MS,
  pingInterval: PING_INTERVAL_MS,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
  // Engine.IO would end such connections without closing them.
  destroyUpgrade: false,
} satisfies Partial<ServerOptions>;
