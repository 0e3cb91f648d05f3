import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@wafleet/runtime';
import {
  type AuthenticationCreds,
  addTransactionCapability,
  BufferJSON,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  generateSignalPubKey,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type SignalKeyStoreWithTransaction,
  type SocketConfig,
} from '@whiskeysockets/baileys';
import { baileysLogger } from '../baileys/logger.js';
import { oneAtATime } from '../inbound/peer-transactions.js';

type SignalRepository = ReturnType<SocketConfig['makeSignalRepository']>;
export type Wrap = (repository: SignalRepository, keys: SignalKeyStoreWithTransaction) => SignalRepository;
type Encrypted = Awaited<ReturnType<SignalRepository['encryptMessage']>>;

const logger = baileysLogger(createLogger({ app: 'test', level: 'silent' }));

/** An account's Signal records in memory. Each read and write takes as long as `answer` does. */
class SlowStore implements SignalKeyStore {
  /** What each write stored, in order. */
  readonly writes: string[][] = [];
  answer: () => Promise<void> = () => delay(2);
  readonly #records = new Map<string, string>();

  async get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]) {
    await this.answer();
    const found: { [id: string]: SignalDataTypeMap[T] } = {};
    for (const id of ids) {
      const record = this.#records.get(`${type}:${id}`);
      if (record !== undefined) found[id] = JSON.parse(record, BufferJSON.reviver);
    }
    return found;
  }

  async set(data: SignalDataSet): Promise<void> {
    await this.answer();
    this.writes.push(Object.keys(data).sort());
    this.put(data);
  }

  /** Stores at once, and does not count as a write. */
  put(data: SignalDataSet): void {
    for (const [type, records] of Object.entries(data)) {
      for (const [id, record] of Object.entries(records ?? {})) {
        if (record === null) this.#records.delete(`${type}:${id}`);
        else this.#records.set(`${type}:${id}`, JSON.stringify(record, BufferJSON.replacer));
      }
    }
  }
}

/** Wraps a repository as sessions do: work on a peer takes turns, and a message is decrypted in a transaction. */
export const asInSessions: Wrap = (repository, keys) =>
  oneAtATime(
    {
      ...repository,
      // DecryptionJournal stores the plaintext in this transaction.
      decryptMessage: (message) => keys.transaction(() => repository.decryptMessage(message), message.jid),
    },
    keys,
  );

/** One account's side of Signal, without a connection: Baileys' repository, or its wrapper, over a store in memory. */
export class SignalAccount {
  readonly store = new SlowStore();
  readonly jid: string;
  keys: SignalKeyStoreWithTransaction;
  repository: SignalRepository;
  readonly #creds: AuthenticationCreds;
  readonly #wrap: Wrap;
  #preKeys = 0;

  private constructor(phone: string, creds: AuthenticationCreds, wrap: Wrap) {
    this.jid = `${phone}@s.whatsapp.net`;
    this.#creds = creds;
    this.#wrap = wrap;
    [this.keys, this.repository] = this.#open();
  }

  static async create(
    phone: string,
    creds: AuthenticationCreds,
    wrap: Wrap = (repository) => repository,
  ): Promise<SignalAccount> {
    return new SignalAccount(phone, creds, wrap);
  }

  /** Starts again from what is stored, as the next process does. */
  reopen(): void {
    [this.keys, this.repository] = this.#open();
  }

  /** Begins a session with the peer, out of the keys that a server would hand out: each pre-key once. */
  async begin(peer: SignalAccount): Promise<void> {
    const { signedPreKey, signedIdentityKey, registrationId } = peer.#creds;
    const preKey = peer.#newPreKey();
    await this.repository.injectE2ESession({
      jid: peer.jid,
      session: {
        registrationId,
        identityKey: generateSignalPubKey(signedIdentityKey.public),
        signedPreKey: {
          keyId: signedPreKey.keyId,
          publicKey: generateSignalPubKey(signedPreKey.keyPair.public),
          signature: signedPreKey.signature,
        },
        preKey: { keyId: preKey.keyId, publicKey: generateSignalPubKey(preKey.publicKey) },
      },
    });
  }

  /** @param jid by which the peer is addressed. */
  encrypt(peer: SignalAccount, text: string, jid = peer.jid): Promise<Encrypted> {
    return this.repository.encryptMessage({ jid, data: Buffer.from(text) });
  }

  /** @param jid by which the peer is addressed. */
  async decrypt(peer: SignalAccount, { type, ciphertext }: Encrypted, jid = peer.jid): Promise<string> {
    const plaintext = await this.repository.decryptMessage({ jid, type, ciphertext });
    return Buffer.from(plaintext).toString();
  }

  #newPreKey(): { keyId: number; publicKey: Uint8Array } {
    this.#preKeys += 1;
    const keyPair = Curve.generateKeyPair();
    this.store.put({ 'pre-key': { [this.#preKeys]: keyPair } });
    return { keyId: this.#preKeys, publicKey: keyPair.public };
  }

  #open(): [SignalKeyStoreWithTransaction, SignalRepository] {
    const transactions = { maxCommitRetries: 1, delayBetweenTriesMs: 0 };
    const keys = addTransactionCapability(this.store, logger, transactions);
    const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: this.#creds, keys }, logger);
    return [keys, this.#wrap(repository, keys)];
  }
}
