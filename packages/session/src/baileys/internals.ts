import { createRequire } from 'node:module';
import { CURVE_SHAPES, findMissing, SIGNAL_CURVE_SHAPES, SIGNAL_SHAPES } from './shapes.js';

/**
 * The functions of `curve25519-js` that libsignal calls. It looks them up at each call, so replacements apply at once.
 */
export interface CurveModule {
  /** @throws unless the key has 32 bytes, the message is bytes and `random`, if given, has 64 bytes. */
  sign(privateKey: unknown, message: unknown, random?: unknown): Uint8Array;
  /** @throws unless the key has 32 bytes, the message is bytes and the signature has 64 bytes. */
  verify(publicKey: unknown, message: unknown, signature: unknown): boolean;
}

/**
 * The functions of libsignal's own `src/curve.js` that libsignal calls. It looks them up at each call. Public keys
 * begin with a byte 5.
 */
export interface SignalCurveModule {
  /** @throws unless the public key has 33 bytes and the private key 32, and if the public key is of small order. */
  calculateAgreement(publicKey: unknown, privateKey: unknown): Buffer;
  generateKeyPair(): { pubKey: Buffer; privKey: Buffer };
}

/** The storage of an account's Signal records. libsignal has one for each repository that Baileys creates. */
export interface SignalStorage {
  loadSession(address: string): Promise<unknown>;
  storeSession(address: string, record: unknown): Promise<void>;
}

/** The common part of libsignal's session cipher and session builder: one account's work on one peer. */
export interface PeerWork {
  readonly addr: { toString(): string };
  readonly storage: SignalStorage;
}

/** One of the Signal sessions of a record: the fields that a decryption changes. */
export interface SessionEntry {
  currentRatchet: object;
  indexInfo: object;
  /** By ratchet key, oldest first. */
  _chains: { [key: string]: SignalChain };
}

/** Message keys of one direction. */
export interface SignalChain {
  /** Without a key the chain is closed: it can decrypt only messages whose keys are in `messageKeys`. */
  chainKey: { key?: unknown };
  /** The keys of messages that were skipped so far, by message number. */
  messageKeys: { [counter: string]: unknown };
}

/** The stored Signal sessions with one device. */
export interface SignalRecord {
  /** The session that was used last comes first. */
  getSessions(): SessionEntry[];
}

/** The classes of libsignal; only the members that are replaced. */
export interface SignalModule {
  readonly SessionCipher: {
    readonly prototype: {
      queueJob(this: PeerWork, work: () => Promise<unknown>): Promise<unknown>;
      /** Decrypts with one session. @throws if the message belongs to another session, or was decrypted before. */
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

/** Load what packages/session, Baileys and libsignal load by a name. */
export const ofSession = createRequire(import.meta.url);
export const ofBaileys = createRequire(ofSession.resolve('@whiskeysockets/baileys'));
export const ofLibsignal = createRequire(ofBaileys.resolve('libsignal'));

/**
 * Returns the instance of `curve25519-js` that signs and verifies for Baileys.
 * @throws {Error} if this release of Baileys has none.
 */
export function curveModule(): CurveModule {
  const module: unknown = ofLibsignal('curve25519-js');
  if (isCurveModule(module)) return module;
  throw new Error('this release of Baileys does not have the expected curve25519-js');
}

/**
 * Returns the key agreement module of the `libsignal` instance that Baileys uses.
 * @throws {Error} if this release of Baileys has none.
 */
export function signalCurveModule(): SignalCurveModule {
  const module: unknown = ofBaileys('libsignal/src/curve.js');
  if (isSignalCurveModule(module)) return module;
  throw new Error('this release of Baileys does not have the expected libsignal');
}

/**
 * Returns the `libsignal` instance that Baileys uses.
 * @throws {Error} if this release of Baileys has none.
 */
export function signalModule(): SignalModule {
  const module: unknown = ofBaileys('libsignal');
  if (isSignalModule(module)) return module;
  throw new Error('this release of Baileys does not have the expected libsignal');
}

function isCurveModule(module: unknown): module is CurveModule {
  return findMissing(module, CURVE_SHAPES).length === 0;
}

function isSignalCurveModule(module: unknown): module is SignalCurveModule {
  return findMissing(module, SIGNAL_CURVE_SHAPES).length === 0;
}

function isSignalModule(module: unknown): module is SignalModule {
  return findMissing(module, SIGNAL_SHAPES).length === 0;
}
