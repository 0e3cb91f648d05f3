import type { Connection } from './connection.js';
import type { Internal } from './internal.js';
import type { RawWebSocket } from './web-socket.js';

const PROBE = 'a frame';
/** Sent after the frame, whatever becomes of it: Engine.IO keeps the order of its packets. */
const AFTER_PROBE = 'after the frame';

/**
 * The option of a packet that Engine.IO sends unchanged, since it already is whole WebSocket frames.
 *
 * Why: an event is encoded once for all its clients, and the bytes that the operating system did not take have to keep
 * their place between Engine.IO's own packets.
 * Removal: Engine.IO documents the option. Its own adapter for broadcasts uses it.
 */
export const PRE_ENCODED_FRAME: Internal = {
  library: 'engine.io',
  name: 'the packet option wsPreEncodedFrame',
  isThere: async ({ connection, client }) => {
    const frame = Buffer.from(`\x81${String.fromCharCode(PROBE.length)}${PROBE}`, 'latin1');
    connection.write('', preEncoded(frame));
    connection.write(AFTER_PROBE);
    await client.receive(AFTER_PROBE);
    return client.received.includes(frame.toString('latin1'));
  },
};

/** The options of a packet that Engine.IO sends unchanged, since it already consists of whole WebSocket frames. */
export function preEncoded(frames: Buffer) {
  return { compress: false, wsPreEncodedFrame: [frames] };
}

const NO_FRAMES = { type: 'message', options: preEncoded(Buffer.alloc(0)) } as const;

/**
 * Sends whole frames over a WebSocket whose transport is writable. Engine.IO is involved only if the operating system
 * does not take everything at once: its transport is then not writable until the rest is sent, as if Engine.IO had sent
 * it. Engine.IO notifies half a dozen listeners of each packet that it sends, which costs a tenth of what an event
 * takes.
 */
export function sendFrames(
  { transport }: Pick<Connection, 'transport'>,
  webSocket: RawWebSocket,
  frames: Buffer,
): void {
  webSocket._socket?.write(frames);
  if (webSocket.bufferedAmount > 0) transport.send([NO_FRAMES]);
}
