import { createRequire } from 'node:module';

/** What libsignal calls of `curve25519-js`, at the time of each call: replaced functions take effect at once. */
export interface CurveModule {
  /** @throws on anything but 32 bytes of key, bytes of message and, if given, 64 random bytes. */
  sign(privateKey: unknown, message: unknown, random?: unknown): Uint8Array;
  /** @throws on anything but 32 bytes of key, bytes of message and 64 bytes of signature. */
  verify(publicKey: unknown, message: unknown, signature: unknown): boolean;
}

/** What libsignal calls of its own `src/curve.js`, at the time of each call. Public keys begin with a byte 5. */
export interface SignalCurveModule {
  /** @throws on anything but 33 bytes of public and 32 of private key, and on a public key of small order. */
  calculateAgreement(publicKey: unknown, privateKey: unknown): Buffer;
  generateKeyPair(): { pubKey: Buffer; privKey: Buffer };
}

/** The keeper of an account's Signal records; libsignal has one for each repository that Baileys makes. */
export interface SignalStorage {
  loadSession(address: string): Promise<unknown>;
  storeSession(address: string, record: unknown): Promise<void>;
}

/** What libsignal's session cipher and its session builder have in common: one account's work on one peer. */
export interface PeerWork {
  readonly addr: { toString(): string };
  readonly storage: SignalStorage;
}

/** One of the Signal sessions of a record: what a decryption changes of it. */
export interface SessionEntry {
  currentRatchet: object;
  indexInfo: object;
  /** By their ratchet keys, oldest first. */
  _chains: { [key: string]: SignalChain };
}

/** Message keys of one direction. */
export interface SignalChain {
  /** Without a key the chain is closed: only messages whose keys are in `messageKeys` can be read with it. */
  chainKey: { key?: unknown };
  /** Of messages that were left out so far, by the number of the message. */
  messageKeys: { [counter: string]: unknown };
}

/** All that is stored of the Signal sessions with one device. */
export interface SignalRecord {
  /** The one that was used last comes first. */
  getSessions(): SessionEntry[];
}

/** The classes of libsignal, as far as they are replaced. */
export interface SignalModule {
  readonly SessionCipher: {
    readonly prototype: {
      queueJob(this: PeerWork, work: () => Promise<unknown>): Promise<unknown>;
      /** Decrypts with one session. @throws if the message is not of it, or was decrypted before. */
      doDecryptWhisperMessage(this: PeerWork, message: unknown, session: SessionEntry): Promise<unknown>;
      /** Tries the sessions one after the other. The caller stores their record if one of them succeeds. */
      decryptWithSessions(
        this: PeerWork,
        message: unknown,
        sessions: readonly SessionEntry[],
      ): Promise<unknown>;
      storeRecord(this: PeerWork, record: SignalRecord): Promise<void>;
    };
  };
  readonly SessionBuilder: {
    readonly prototype: { initOutgoing(this: PeerWork, device: unknown): Promise<void> };
  };
}

const ofBaileys = createRequire(createRequire(import.meta.url).resolve('@whiskeysockets/baileys'));
const ofLibsignal = createRequire(ofBaileys.resolve('libsignal'));

/**
 * The `curve25519-js` that signs and verifies for Baileys, the very instance.
 * @throws {Error} when this release of Baileys has none.
 */
export function curveModule(): CurveModule {
  const module: unknown = ofLibsignal('curve25519-js');
  if (isCurveModule(module)) return module;
  throw new Error('curve25519-js is not what this release of Baileys is known to bring');
}

/**
 * The agreements and key pairs of the `libsignal` that Baileys works with, the very instance.
 * @throws {Error} when this release of Baileys has none.
 */
export function signalCurveModule(): SignalCurveModule {
  const module: unknown = ofBaileys('libsignal/src/curve.js');
  if (isSignalCurveModule(module)) return module;
  throw new Error('libsignal is not what this release of Baileys is known to bring');
}

/**
 * The `libsignal` that Baileys works with, the very instance.
 * @throws {Error} when this release of Baileys has none.
 */
export function signalModule(): SignalModule {
  const module: unknown = ofBaileys('libsignal');
  if (isSignalModule(module)) return module;
  throw new Error('libsignal is not what this release of Baileys is known to bring');
}

function isCurveModule(module: unknown): module is CurveModule {
  return hasMethod(module, 'sign') && hasMethod(module, 'verify');
}

function isSignalCurveModule(module: unknown): module is SignalCurveModule {
  return hasMethod(module, 'calculateAgreement') && hasMethod(module, 'generateKeyPair');
}

function isSignalModule(module: unknown): module is SignalModule {
  if (typeof module !== 'object' || module === null) return false;
  if (!('SessionCipher' in module && 'SessionBuilder' in module)) return false;
  const { SessionCipher, SessionBuilder } = module;
  return (
    typeof SessionCipher === 'function' &&
    hasMethod(SessionCipher.prototype, 'queueJob') &&
    hasMethod(SessionCipher.prototype, 'doDecryptWhisperMessage') &&
    hasMethod(SessionCipher.prototype, 'storeRecord') &&
    typeof SessionBuilder === 'function' &&
    hasMethod(SessionBuilder.prototype, 'initOutgoing')
  );
}

function hasMethod(holder: unknown, name: string): boolean {
  return (
    typeof holder === 'object' &&
    holder !== null &&
    typeof Object.getOwnPropertyDescriptor(holder, name)?.value === 'function'
  );
}
