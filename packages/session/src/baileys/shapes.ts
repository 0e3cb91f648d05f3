import { StartError } from '@wafleet/runtime';
import { get, isHolder } from './untyped.js';

/** The libraries whose internals packages/session relies on, and the release of each that it is written for. */
export const WRITTEN_FOR = {
  '@whiskeysockets/baileys': '7.0.0-rc14',
  libsignal: '6.0.0',
  'curve25519-js': '0.0.4',
  ws: '8.23.0',
  'Node.js': '20.19.0 or newer',
} as const;

export type LibraryName = keyof typeof WRITTEN_FOR;

/** What was found of a library. */
export interface Library {
  readonly version: string;
  /** Its modules, and objects made with them, by the names that begin the paths of `SHAPES`. */
  readonly parts: Readonly<Record<string, unknown>>;
  /** Why some parts could not be made. */
  readonly failures: readonly string[];
}

export type Libraries = Readonly<Record<LibraryName, Library>>;

/** The methods of libsignal's classes that are replaced or called. */
export const SIGNAL_SHAPES = [
  'SessionCipher.prototype.queueJob()',
  'SessionCipher.prototype.decryptWithSessions()',
  'SessionCipher.prototype.doDecryptWhisperMessage()',
  'SessionCipher.prototype.storeRecord()',
  'SessionBuilder.prototype.initOutgoing()',
] as const;

export const SIGNAL_CURVE_SHAPES = ['calculateAgreement()', 'generateKeyPair()'] as const;
export const CURVE_SHAPES = ['sign()', 'verify()'] as const;

/** The part that is the client of the WebSocket library, which Baileys drops when its socket has ended. */
export const WEB_SOCKET = 'socket.ws.socket: the WebSocket';

/** The events that Baileys must listen to: the listeners are replaced, preceded, or needed to hand the event on. */
export const LISTENED = {
  webSocket: ['upgrade', 'unexpected-response', 'message', 'close'],
  client: [
    ...['message', 'close'],
    ...['CB:message', 'CB:call', 'CB:notification', 'CB:iq,type:set,pair-device'],
  ],
} as const;

/**
 * Everything that the patches and the files of packages/session rely on, besides the functions that the libraries
 * export: without one of those, a module that imports it does not load. Each entry is a path from a part; with `()` it
 * is a function, otherwise a value other than null and undefined.
 */
export const SHAPES: Readonly<Record<LibraryName, readonly string[]>> = {
  '@whiskeysockets/baileys': [
    'WA_CERT_DETAILS.PUBLIC_KEY',
    ...under('DEFAULT_CONNECTION_CONFIG', ['version', 'makeSignalRepository()']),
    ...under('Curve', ['generateKeyPair()', 'sharedKey()']),
    ...under('proto', ['SyncdPatch.decode()', 'SyncdMutations.decode()', 'SyncActionData.decode()']),
    'proto.SyncdMutation.SyncdOperation.REMOVE',
    ...under('GroupCipher.prototype', ['encrypt()', 'getSenderKey()']),
    ...under('SenderKeyRecord.prototype', ['addSenderKeyState()', 'getSenderKeyState()']),
    ...under('senderKeyState', ['getStructure()', 'getSenderChainKey()', 'getSigningKeyPublic()']),
    'senderKeyStructure.senderMessageKeys',
    'senderChainKey.getIteration()',
    ...under('socket', [
      ...['end()', 'groupMetadata()', 'messageMutex.mutex()', 'executeUSyncQuery()', 'query()'],
      ...['registerSocketEndHandler()', 'relayMessage()', 'requestPlaceholderResend()', 'resyncAppState()'],
      ...['sendMessageAck()', 'sendNode()', 'sendPresenceUpdate()', 'sendReceipt()', 'sendReceipts()'],
      ...['fetchPrivacySettings()', 'rejectCall()', 'upsertMessage()'],
      ...['groupAcceptInvite()', 'groupGetInviteInfo()', 'groupInviteCode()', 'groupJoinApprovalMode()'],
      ...['groupLeave()', 'groupMemberAddMode()', 'groupParticipantsUpdate()', 'groupRevokeInvite()'],
      ...['groupRequestParticipantsList()', 'groupRequestParticipantsUpdate()', 'groupSettingUpdate()'],
      ...['groupToggleEphemeral()', 'groupUpdateDescription()', 'groupUpdateSubject()'],
      ...['profilePictureUrl()', 'removeProfilePicture()'],
      'authState.creds',
    ]),
    ...['socket.authState.keys', 'repositoryAuth.keys'].flatMap((keys) =>
      under(keys, ['get()', 'set()', 'transaction()']),
    ),
    ...under('socket.ev', ['emit()', 'process()', 'flush()', 'isBuffering()', 'on()', 'off()']),
    ...under('socket.messageRetryManager', [
      ...['recentMessagesMap', 'messageKeyIndex', 'sessionRecreateHistory', 'retryCounters', 'baseKeys'],
      'addRecentMessage()',
    ]),
    ...under('socket.signalRepository', [
      ...['decryptMessage()', 'decryptGroupMessage()', 'encryptMessage()', 'injectE2ESession()'],
      ...['validateSession()', 'processSenderKeyDistributionMessage()', 'deleteSession()'],
      ...['migrateSession()', 'jidToSignalProtocolAddress()'],
    ]),
    ...under('socket.signalRepository.lidMapping', [
      ...['mappingCache', 'keys', 'getLIDForPN()', 'storeLIDPNMappings()'],
    ]),
    ...under('socket.ws', [
      ...['on()', 'once()', 'off()', 'prependListener()', 'listeners()', 'removeAllListeners()'],
      ...['isOpen', 'isClosed', 'isClosing'],
    ]),
    WEB_SOCKET,
    ...LISTENED.webSocket.map((event) => `socket.ws.socket: a listener of ${event}`),
    ...LISTENED.client.map((event) => `socket.ws: a listener of ${event}`),
    'socket.ws: the event frame for each message',
  ],
  libsignal: [
    ...SIGNAL_SHAPES,
    ...under('curve', SIGNAL_CURVE_SHAPES),
    ...under('cipher', ['addr', 'storage']),
    ...under('builder', ['addr', 'storage']),
    'record.getSessions()',
    ...under('session', ['currentRatchet', 'indexInfo.closed', 'indexInfo.used', '_chains']),
    ...under('chain', ['chainKey.key', 'messageKeys']),
    ...under('stored', ['version', '_sessions']),
    'the folder node_modules/libsignal',
  ],
  'curve25519-js': CURVE_SHAPES,
  ws: ['client.send()'],
  'Node.js': [
    'Buffer.poolSize',
    'AsyncLocalStorage.snapshot()',
    ...under('AsyncLocalStorage.prototype', ['run()', 'getStore()', 'exit()', 'enterWith()', 'disable()']),
  ],
};

function under(path: string, names: readonly string[]): string[] {
  return names.map((name) => `${path}.${name}`);
}

/** Returns the entries of `shapes` that a holder lacks, each cut off after the first name that is missing. */
export function findMissing(holder: unknown, shapes: readonly string[]): string[] {
  return [...new Set(shapes.flatMap((shape) => missingPart(holder, shape) ?? []))];
}

/**
 * Checks all of `SHAPES`.
 * @throws {StartError} with one line that names each library that lacks something: its release, what is missing, and
 * the release that is needed.
 */
export function assertShapes(libraries: Libraries): void {
  const faults: string[] = [];
  for (const name of namesOf(libraries)) {
    const { version, parts, failures } = libraries[name];
    const missing = findMissing(parts, SHAPES[name]);
    if (missing.length === 0) continue;
    const reasons = failures.length === 0 ? '' : ` (${failures.join('; ')})`;
    faults.push(`${name} ${version} lacks ${missing.join(', ')}${reasons}; needed is ${WRITTEN_FOR[name]}`);
  }
  if (faults.length > 0) throw new StartError(`${faults.join('. ').replaceAll(/\s*\n\s*/g, ' ')}.`);
}

function namesOf(libraries: Libraries): LibraryName[] {
  return Object.keys(libraries).filter((name): name is LibraryName => Object.hasOwn(WRITTEN_FOR, name));
}

function missingPart(holder: unknown, shape: string): string | undefined {
  const isFunction = shape.endsWith('()');
  const path = isFunction ? shape.slice(0, -2) : shape;
  // The name of a part that states a fact may contain dots.
  const names = isHolder(holder) && Object.hasOwn(holder, path) ? [path] : path.split('.');
  let value: unknown = holder;
  for (const [index, name] of names.entries()) {
    value = get(value, name);
    const isEnd = index === names.length - 1;
    if (value === undefined || value === null) return isEnd ? shape : names.slice(0, index + 1).join('.');
  }
  return isFunction && typeof value !== 'function' ? shape : undefined;
}
