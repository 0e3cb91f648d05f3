import type { Connection, EnginePacket } from './connection.js';
import { type Internal, memberOf } from './internal.js';
import { within } from './probe-client.js';

/** What a client sends at once. */
export type Frame = string | Buffer;

/**
 * The method that sends a packet of any type.
 *
 * Why: the answer to a ping proves that everything sent before has arrived. A ping is sent after a subscription, so that
 * the proof does not wait for Engine.IO's own.
 * Removal: Engine.IO has a method that pings now.
 */
export const SEND_PACKET: Internal = {
  library: 'engine.io',
  name: 'Socket.sendPacket',
  isThere: ({ connection }) => typeof memberOf(connection, 'sendPacket') === 'function',
};

/**
 * The event of a connection that is about to send a packet, which may be a ping.
 *
 * Why: events that were written before a packet of Socket.IO's own go out before it, and what a pong will prove is
 * noted when its ping is sent.
 * Removal: the README of Engine.IO lists the event's packets, those of type `ping` included.
 */
export const PACKET_CREATE_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event packetCreate of a Socket',
  isThere: ({ connection }) => {
    const types: string[] = [];
    const note = ({ type }: EnginePacket) => types.push(type);
    onPacketCreate(connection, note);
    ping(connection);
    offPacketCreate(connection, note);
    return types.includes('ping');
  },
};

/**
 * The event of a connection whose client has answered a ping.
 *
 * Why: the answer proves what has arrived, and that the client is there.
 * Removal: Engine.IO documents the event. Its documented event `packet` costs a call for each packet of a client.
 */
export const HEARTBEAT_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event heartbeat of a Socket',
  isThere: async ({ connection, client }) => {
    let isSeen = false;
    const note = () => {
      isSeen = true;
    };
    onPong(connection, note);
    const answered = new Promise((resolve) => connection.once('packet', resolve));
    client.send('3');
    await within(answered);
    offPong(connection, note);
    return isSeen;
  },
};

/**
 * The event with what a client sent, to which Socket.IO listens.
 *
 * Why: frames wait here while a namespace still checks the API key, so Socket.IO must get them from here alone.
 * Removal: Socket.IO keeps what a client sends to a namespace until the namespace has accepted it.
 */
export const DATA_EVENT: Internal = {
  library: 'engine.io',
  name: 'the event data of a Socket',
  isThere: ({ connection }) => connection.listenerCount('data') > 0,
};

/** Sends a ping now, in addition to those that Engine.IO sends by itself. Clients answer each. */
export function ping(connection: Connection): void {
  const send: unknown = Reflect.get(connection, 'sendPacket');
  if (typeof send !== 'function') throw new TypeError('a connection of Engine.IO has no sendPacket');
  Reflect.apply(send, connection, ['ping']);
}

/** Calls a listener with each packet that a connection is about to send. */
export function onPacketCreate(connection: Connection, listener: (packet: EnginePacket) => void): void {
  connection.on('packetCreate', listener);
}

export function offPacketCreate(connection: Connection, listener: (packet: EnginePacket) => void): void {
  connection.off('packetCreate', listener);
}

/** Calls a listener each time that the client of a connection has answered a ping. */
export function onPong(connection: Connection, listener: () => void): void {
  connection.on('heartbeat', listener);
}

export function offPong(connection: Connection, listener: () => void): void {
  connection.off('heartbeat', listener);
}

/**
 * Puts a listener between a connection and the current listeners of what its client sends.
 * @returns a function that passes a frame on to those.
 */
export function takeFrames(connection: Connection, receive: (frame: Frame) => void): (frame: Frame) => void {
  const listeners = connection.listeners('data');
  connection.removeAllListeners('data');
  connection.on('data', receive);
  return (frame) => {
    for (const listener of listeners) listener.call(connection, frame);
  };
}
