import { StartError } from '@wafleet/runtime';
import { expect, it } from 'vitest';
import { startTestEdge } from '../testing/test-edge.js';
import { assertEngineInternals, INTERNALS } from './assert-engine-internals.js';
import { EngineProbe } from './engine-probe.js';
import { memberOf } from './internal.js';
import { foundVersion, pinnedVersion } from './library-versions.js';

/** Makes an object of a library behave as one of a release without the member. */
function lose(holder: unknown, name: string): void {
  if (typeof holder !== 'object' || holder === null) throw new Error(`nothing has ${name}`);
  Object.defineProperty(holder, name, { value: undefined, writable: true });
}

/** Makes a member keep its value, as one that is only a getter does. */
function fix(holder: object, name: string): void {
  Object.defineProperty(holder, name, { value: Reflect.get(holder, name), writable: false });
}

/** Makes an emitter not emit an event, or another one in its place. */
function replaceEvent(
  emitter: { emit(event: string, ...args: unknown[]): boolean },
  event: string,
  args: readonly unknown[] | undefined,
): void {
  const emit = emitter.emit.bind(emitter);
  Reflect.set(emitter, 'emit', (name: string, ...given: unknown[]) => {
    if (name !== event) return emit(name, ...given);
    return args === undefined ? false : emit(name, ...args);
  });
}

/** For each internal: what a library without it would be like. */
const LOSSES: Readonly<Record<string, (probe: EngineProbe) => void>> = {
  'the listeners for request and upgrade that Server.attach adds': ({ http }) =>
    http.removeAllListeners('upgrade'),
  'Server.clients': ({ io }) => Reflect.set(io.engine, 'clients', {}),
  'the last sid of a query, as the one that counts': ({ io }) =>
    Reflect.set(io.engine, 'prepare', (request: { url: string; _query: unknown }) => {
      const entries = [...new URL(request.url, 'http://edge').searchParams];
      request._query = Object.fromEntries(entries.reverse());
    }),
  'Server.ws': ({ io }) => lose(io.engine, 'ws'),
  'Socket.request': ({ connection }) => fix(connection, 'request'),
  'WebSocketResponse.req': ({ answer }) => lose(answer, 'req'),
  'Socket.writeBuffer': ({ connection }) => lose(connection, 'writeBuffer'),
  'WebSocket.socket': ({ connection }) => lose(connection.transport, 'socket'),
  'WebSocket._socket': ({ connection }) => lose(memberOf(connection.transport, 'socket'), '_socket'),
  'WebSocketServer.options.WebSocket': ({ io }) =>
    lose(memberOf(memberOf(io.engine, 'ws'), 'options'), 'WebSocket'),
  'the event ready of a Transport': ({ connection }) => connection.transport.removeAllListeners('ready'),
  'the event error of a Transport': ({ connection }) => connection.transport.removeAllListeners('error'),
  'the event data of a Socket': ({ connection }) => connection.removeAllListeners('data'),
  'Socket.sendPacket': ({ connection }) => lose(connection, 'sendPacket'),
  'the event packetCreate of a Socket': ({ connection }) =>
    replaceEvent(connection, 'packetCreate', undefined),
  'the event heartbeat of a Socket': ({ connection }) => replaceEvent(connection, 'heartbeat', undefined),
  'the event upgrading of a Socket': ({ io }) =>
    io.engine.on('connection', (other: EngineProbe['connection']) =>
      replaceEvent(other, 'upgrading', undefined),
    ),
  'the packet option wsPreEncodedFrame': ({ connection }) =>
    Reflect.set(connection.transport, '_canSendPreEncodedFrame', () => false),
  'Socket.pid in the answer to CONNECT': ({ io }) =>
    io.use((socket, next) => {
      Object.defineProperty(socket, 'pid', { get: () => undefined, set: () => {} });
      next();
    }),
  'Socket.handshake': ({ io }) =>
    io.use((socket, next) => {
      fix(socket, 'handshake');
      next();
    }),
  'the error "Max payload size exceeded"': ({ connection }) =>
    replaceEvent(connection, 'close', ['transport error', new Error('too large')]),
};

it('finds every internal in the libraries that are installed', async () => {
  await expect(assertEngineInternals()).resolves.toBeUndefined();
});

it.each(['engine.io', 'socket.io', 'ws'] as const)(
  '%s is loaded in the version that is pinned',
  (library) => {
    expect(foundVersion(library)).toBe(pinnedVersion(library));
  },
);

it('knows for each internal what a library without it is like', () => {
  expect(Object.keys(LOSSES)).toEqual(INTERNALS.map(({ name }) => name));
});

it.each(INTERNALS)('an edge does not start without $name', async ({ library, name }) => {
  const openProbe = async () => {
    const probe = await EngineProbe.open();
    LOSSES[name]?.(probe);
    return probe;
  };
  const starting = startTestEdge({ redisUrl: 'redis://127.0.0.1:1', openProbe });
  await expect(starting).rejects.toThrow(StartError);
  const version = pinnedVersion(library);
  await expect(starting).rejects.toThrow(
    `${library} ${version} lacks what this edge uses: ${name}; install ${library} ${version}.`,
  );
});

it('an edge does not start if the libraries open no connection', async () => {
  const openProbe = () => Promise.reject(new Error('an answer did not come'));
  const starting = startTestEdge({ redisUrl: 'redis://127.0.0.1:1', openProbe });
  await expect(starting).rejects.toThrow(
    /^engine\.io \S+ does not open a connection .*; install engine\.io \S+\.$/,
  );
});
