import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent } from 'node:https';
import { Duplex } from 'node:stream';
import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  makeWASocket,
  proto,
  type SocketConfig,
  WA_CERT_DETAILS,
  type WASocket,
} from '@whiskeysockets/baileys';
import { GroupCipher } from '@whiskeysockets/baileys/lib/Signal/Group/index.js';
import { SenderKeyRecord } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-record.js';
import { ofBaileys, ofLibsignal, ofSession } from './internals.js';
import { baileysLogger } from './logger.js';
import { LIBSIGNAL_FOLDER } from './patches/quiet-libsignal.js';
import { withSharedAsyncStorage } from './patches/shared-async-storage.js';
import { LISTENED, type Libraries, type Library, WEB_SOCKET } from './shapes.js';
import { call, construct, get } from './untyped.js';

type MakePart = (name: string, make: () => unknown) => void;
type RepositoryAuth = Parameters<SocketConfig['makeSignalRepository']>[0];

/** The stored form of a record with one session, which has one chain with one message key. */
const STORED_RECORD = {
  version: 'v1',
  _sessions: {
    AA: {
      registrationId: 1,
      currentRatchet: {
        ephemeralKeyPair: { pubKey: '', privKey: '' },
        lastRemoteEphemeralKey: '',
        previousCounter: 0,
        rootKey: '',
      },
      indexInfo: { baseKey: 'AA', baseKeyType: 2, closed: -1, used: 1, created: 1, remoteIdentityKey: '' },
      _chains: { AA: { chainKey: { counter: 0, key: 'AA' }, chainType: 2, messageKeys: { 0: 'AA' } } },
    },
  },
};

/** A frame as Baileys receives it before the handshake: three bytes of length, and the content. */
const FRAME = Buffer.from([0, 0, 1, 1]);

/** An agent whose connections lead nowhere. */
class IdleAgent extends Agent {
  override createConnection(): Duplex {
    return new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() });
  }
}

/**
 * Collects what `SHAPES` is compared with: the modules that Baileys uses, and a socket, Signal records and the like
 * that are made with them. The socket never connects, and is ended before this returns. Takes about 0.1 s of CPU. Never
 * throws: what cannot be made is missing.
 */
export function loadLibraries(): Libraries {
  let socket: WASocket | undefined;
  const baileys = collect(
    () => ofSession('@whiskeysockets/baileys/package.json'),
    (add) => {
      socket = addBaileys(add);
    },
  );
  socket?.end(undefined).catch(() => {});
  return {
    '@whiskeysockets/baileys': baileys,
    libsignal: collect(() => ofBaileys('libsignal/package.json'), addLibsignal),
    'curve25519-js': collect(
      () => ofLibsignal('curve25519-js/package.json'),
      (add) => {
        for (const name of ['sign', 'verify']) add(name, () => get(ofLibsignal('curve25519-js'), name));
      },
    ),
    ws: collect(
      () => ofBaileys('ws/package.json'),
      (add) => add('client', () => baileys.parts[WEB_SOCKET]),
    ),
    'Node.js': { version: process.versions.node, parts: { Buffer, AsyncLocalStorage }, failures: [] },
  };
}

function collect(readManifest: () => unknown, addParts: (add: MakePart) => void): Library {
  const parts: Record<string, unknown> = {};
  const failures: string[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  attempt(() =>
    addParts((name, make) => {
      parts[name] = attempt(make);
    }),
  );
  const version: unknown = attempt(() => get(readManifest(), 'version'));
  return { version: typeof version === 'string' ? version : 'of an unknown release', parts, failures };
}

function addBaileys(add: MakePart): WASocket {
  const modules = { Curve, DEFAULT_CONNECTION_CONFIG, GroupCipher, proto, SenderKeyRecord, WA_CERT_DETAILS };
  for (const [name, value] of Object.entries(modules)) add(name, () => value);
  addSenderKey(add);
  const auths: RepositoryAuth[] = [];
  const socket = withSharedAsyncStorage(() => makeIdleSocket(auths));
  add('socket', () => socket);
  add('repositoryAuth', () => auths[0]);
  const { ws } = socket;
  const client: unknown = Reflect.get(ws, 'socket');
  add(WEB_SOCKET, () => client);
  for (const event of LISTENED.webSocket) {
    add(`socket.ws.socket: a listener of ${event}`, () => get(call(client, 'listeners', event), 0));
  }
  for (const event of LISTENED.client) add(`socket.ws: a listener of ${event}`, () => ws.listeners(event)[0]);
  add('socket.ws: the event frame for each message', () => {
    let frame: unknown;
    ws.once('frame', (received: unknown) => {
      frame = received;
    });
    ws.emit('message', FRAME);
    return frame;
  });
  return socket;
}

function addSenderKey(add: MakePart): void {
  const record = new SenderKeyRecord();
  const keyPair = { public: Buffer.alloc(33), private: Buffer.alloc(32) };
  add('senderKeyState', () => {
    record.setSenderKeyState(1, 0, Buffer.alloc(32), keyPair);
    return record.getSenderKeyState();
  });
  add('senderKeyStructure', () => record.getSenderKeyState()?.getStructure());
  add('senderChainKey', () => record.getSenderKeyState()?.getSenderChainKey());
}

/** @param auths gets what Baileys passes to the Signal repository. */
function makeIdleSocket(auths: RepositoryAuth[]): WASocket {
  const { makeSignalRepository } = DEFAULT_CONNECTION_CONFIG;
  return makeWASocket({
    auth: { creds: initAuthCreds(), keys: { get: async () => ({}), set: async () => {} } },
    agent: new IdleAgent(),
    connectTimeoutMs: 0,
    logger: baileysLogger({ warn: () => {}, error: () => {} }),
    makeSignalRepository: (auth, ...rest) => {
      auths.push(auth);
      return makeSignalRepository(auth, ...rest);
    },
  });
}

function addLibsignal(add: MakePart): void {
  const module: unknown = ofBaileys('libsignal');
  const [Cipher, Builder] = [get(module, 'SessionCipher'), get(module, 'SessionBuilder')];
  add('SessionCipher', () => Cipher);
  add('SessionBuilder', () => Builder);
  add('curve', () => ofBaileys('libsignal/src/curve.js'));
  const address = construct(get(module, 'ProtocolAddress'), '1', 0);
  add('cipher', () => construct(Cipher, {}, address));
  add('builder', () => construct(Builder, {}, address));
  const record = call(get(module, 'SessionRecord'), 'deserialize', STORED_RECORD);
  const session = get(call(record, 'getSessions'), 0);
  add('record', () => record);
  add('session', () => session);
  add('chain', () => get(get(session, '_chains'), 'AA'));
  add('stored', () => call(record, 'serialize'));
  add('the folder node_modules/libsignal', () => LIBSIGNAL_FOLDER.exec(ofBaileys.resolve('libsignal'))?.[0]);
}
