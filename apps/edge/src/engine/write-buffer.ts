import type { Connection, EnginePacket } from './connection.js';
import { type Internal, memberOf } from './internal.js';
import { webSocketOf } from './web-socket.js';

/**
 * The packets of a connection that wait until its transport is writable.
 *
 * Why: what waits for a client is counted, bounded, and dropped when the connection is closed for a reason.
 * Removal: Engine.IO says how many bytes wait for a connection, and has a `close` that drops them.
 */
export const WRITE_BUFFER: Internal = {
  library: 'engine.io',
  name: 'Socket.writeBuffer',
  isThere: ({ connection }) => Array.isArray(memberOf(connection, 'writeBuffer')),
};

/** The packets that wait. The list is Engine.IO's own. Engine.IO replaces it by another one when it is sent. */
export function waitingPackets(connection: Connection): EnginePacket[] {
  const packets: unknown = Reflect.get(connection, 'writeBuffer');
  if (!Array.isArray(packets)) throw new TypeError('a connection of Engine.IO has no writeBuffer');
  return packets;
}

/** Bytes that a connection has been given and the operating system has not taken yet. */
export function unsentBytes(connection: Connection): number {
  let bytes = webSocketOf(connection)?.bufferedAmount ?? 0;
  for (const packet of waitingPackets(connection)) bytes += sizeOf(packet);
  return bytes;
}

/** Approximate size of a packet in bytes. */
function sizeOf({ data, options }: EnginePacket): number {
  if (typeof data === 'string') return data.length;
  if (data instanceof Uint8Array) return data.byteLength;
  if (options === undefined || !('wsPreEncodedFrame' in options)) return 0;
  const frames = options.wsPreEncodedFrame;
  return Array.isArray(frames) ? frames.reduce((sum: number, frame: Buffer) => sum + frame.length, 0) : 0;
}
