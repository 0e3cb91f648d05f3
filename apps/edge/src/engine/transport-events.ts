import type { Connection } from './connection.js';
import type { Internal } from './internal.js';

/**
 * The event of a transport that can be written to again, whose `writable` is true from then on.
 *
 * Why: a writer gives a connection only what it can take, and goes on when it can take more. Engine.IO's `drain` comes
 * before the transport is writable.
 * Removal: Engine.IO emits a documented event of the connection when its transport is writable.
 */
export const READY_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event ready of a Transport',
  isThere: ({ connection: { transport } }) =>
    transport.listenerCount('ready') > 0 && typeof transport.writable === 'boolean',
};

/**
 * The event of a transport that has failed.
 *
 * Why: a connection whose client did not receive the answer to a poll is ended at once and without a last answer.
 * Removal: Engine.IO recognizes a repeated poll by itself, or its `close` takes a reason and sends nothing.
 */
export const ERROR_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event error of a Transport',
  isThere: ({ connection: { transport } }) => transport.listenerCount('error') > 0,
};

/** Calls a listener each time that a transport has sent everything it had. */
export function onReady(transport: Connection['transport'], listener: () => void): void {
  transport.on('ready', listener);
}

export function offReady(transport: Connection['transport'], listener: () => void): void {
  transport.off('ready', listener);
}

/** Ends a connection at once, as Engine.IO does when its transport fails. */
export function failTransport({ transport }: Connection, reason: string): void {
  transport.emit('error', new Error(reason));
}
