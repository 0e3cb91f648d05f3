import type { Writable } from 'node:stream';
import type { EventServer, EventSocket } from './event-socket.js';

/** One Engine.IO connection, over which Socket.IO multiplexes its namespaces. */
export type Connection = EventSocket['conn'];

/** An outgoing packet, as Engine.IO keeps it. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: unknown;
  readonly options?: object;
}

/** The parts used of a connection's WebSocket, of the library ws. */
export interface RawWebSocket {
  /** Bytes that the operating system has not taken yet. */
  readonly bufferedAmount: number;
  /** The TCP connection; null before it is open. */
  readonly _socket: Writable | null;
  send(text: string): void;
  close(code: number, reason: string): void;
  terminate(): void;
  /** A ping of the client, which is answered at once. */
  on(event: 'ping', listener: () => void): unknown;
}

/**
 * This file holds, in one place, what Engine.IO 6 has but does not declare.
 *
 * The packets that wait until the transport is writable. The list is Engine.IO's own, and Engine.IO replaces it by
 * another one when it is sent.
 */
export function waitingPackets(connection: Connection): EnginePacket[] {
  const packets: unknown = Reflect.get(connection, 'writeBuffer');
  return Array.isArray(packets) ? packets : [];
}

/** The connection with this id; undefined if there is none. */
export function connectionOf({ engine }: Pick<EventServer, 'engine'>, id: string): Connection | undefined {
  const clients: Readonly<Record<string, Connection>> = Reflect.get(engine, 'clients');
  return Object.hasOwn(clients, id) ? clients[id] : undefined;
}

/** Ends a connection at once, as Engine.IO does when its transport fails. */
export function failTransport({ transport }: Connection, reason: string): void {
  transport.emit('error', new Error(reason));
}

/** The WebSocket of a connection, if that is its transport. After an upgrade, a connection stays with it. */
export function webSocketOf({ transport }: Connection): RawWebSocket | undefined {
  if (transport.name !== 'websocket') return undefined;
  const socket: unknown = Reflect.get(transport, 'socket');
  return isWebSocket(socket) ? socket : undefined;
}

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

/** Sends a ping now, in addition to those that Engine.IO sends by itself. Clients answer each. */
export function ping(connection: Connection): void {
  const send: unknown = Reflect.get(connection, 'sendPacket');
  if (typeof send === 'function') Reflect.apply(send, connection, ['ping']);
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

function isWebSocket(value: unknown): value is RawWebSocket {
  return typeof value === 'object' && value !== null && 'bufferedAmount' in value && '_socket' in value;
}
