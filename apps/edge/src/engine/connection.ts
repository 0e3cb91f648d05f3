import type { Socket } from 'engine.io';

/** One Engine.IO connection, over which Socket.IO multiplexes its namespaces. */
export type Connection = Socket;

/** An outgoing packet, as Engine.IO keeps it. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: unknown;
  readonly options?: object;
}
