import { randomInt } from 'node:crypto';
import { Curve, generateSignalPubKey, type KeyPair } from '@whiskeysockets/baileys';
import {
  GroupCipher,
  GroupSessionBuilder,
  SenderKeyDistributionMessage,
} from '@whiskeysockets/baileys/lib/Signal/Group/index.js';
import { SenderKeyName } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-name.js';
import { SenderKeyRecord } from '@whiskeysockets/baileys/lib/Signal/Group/sender-key-record.js';
import { ProtocolAddress, SessionBuilder, SessionRecord } from 'libsignal';
import { KeyedQueue } from '../keyed-queue.js';
import type { KeyBundle, PreKey, SignedPreKey } from '../protocol/key-bundle.js';
import { PhoneCipher } from './phone-cipher.js';
import './quiet-libsignal.js';
import { signXeddsa } from './xeddsa.js';

/** One encrypted content, as contained in an `<enc>`. */
export interface Ciphertext {
  readonly type: 'pkmsg' | 'msg';
  readonly bytes: Buffer;
}

interface SignedKeyPair {
  readonly keyId: number;
  readonly keyPair: KeyPair;
  readonly signature: Uint8Array;
}

/** Public keys in bundles are raw. libsignal expects the type byte before them. */
const typed = (publicKey: Uint8Array): Buffer => Buffer.from(generateSignalPubKey(publicKey));

/**
 * A phone's end of the Signal protocol: its identity, pre-keys and sessions, all in memory and made when first
 * needed. Peers are named by a string that the caller chooses, one for each device of a person.
 * Calls for one peer run one after the other, in their order: each reads the record of the peer's sessions, changes it
 * and stores it.
 */
export class PhoneSignal {
  /** Separates this phone's jobs from other phones' in libsignal's process-wide queue, which is keyed by address. */
  readonly #scope: string;
  #identity: KeyPair | undefined;
  #registrationId = randomInt(1, 16380);
  #signedPreKey: SignedKeyPair | undefined;
  #nextPreKeyId = 1;
  readonly #preKeys = new Map<number, KeyPair>();
  readonly #sessions = new Map<string, Uint8Array>();
  /** Keyed by peer. libsignal's queue is not used: sessions in the same process replace it by one keyed by storage. */
  readonly #lanes = new KeyedQueue<string>();
  readonly #senderKeys = new Map<string, SenderKeyRecord>();

  constructor(scope: string) {
    this.#scope = scope;
  }

  get identity(): KeyPair {
    this.#identity ??= Curve.generateKeyPair();
    return this.#identity;
  }

  get registrationId(): number {
    return this.#registrationId;
  }

  /** A new phone of the same person: replaces the identity and all keys, and drops every session. */
  reset(): void {
    this.#identity = undefined;
    this.#registrationId = randomInt(1, 16380);
    this.#signedPreKey = undefined;
    this.#preKeys.clear();
    this.#sessions.clear();
    this.#senderKeys.clear();
  }

  /** Forgets the session with one peer, so that its next `msg` cannot be decrypted. */
  forgetSession(peer: string): void {
    this.#sessions.delete(this.#address(peer).toString());
  }

  /** Forgets the group's sender key of this phone: the next message starts a new one. */
  forgetSenderKey(group: string): void {
    this.#senderKeys.delete(new SenderKeyName(group, this.#address('self')).toString());
  }

  hasSession(peer: string): boolean {
    return this.#sessions.has(this.#address(peer).toString());
  }

  /** Public keys for a first message to this phone, with a one-time pre-key of their own. */
  takeBundle(): KeyBundle {
    const preKey = this.#newPreKey();
    return {
      registrationId: this.#registrationId,
      identityKey: this.identity.public,
      signedPreKey: this.#publicSignedPreKey(),
      preKey,
    };
  }

  /** Starts a session with a peer. An existing one is kept for late messages. Throws if the signature is invalid. */
  async startSession(peer: string, bundle: KeyBundle): Promise<void> {
    const { preKey } = bundle;
    const builder = new SessionBuilder(this.#storage(), this.#address(peer));
    await this.#lanes.run(peer, () =>
      builder.initOutgoing({
        registrationId: bundle.registrationId,
        identityKey: typed(bundle.identityKey),
        signedPreKey: { ...bundle.signedPreKey, publicKey: typed(bundle.signedPreKey.publicKey) },
        // libsignal accepts a bundle without a one-time pre-key, though its types require one.
        ...((preKey ? { preKey: { keyId: preKey.keyId, publicKey: typed(preKey.publicKey) } } : {}) as {
          preKey: { keyId: number; publicKey: Uint8Array };
        }),
      }),
    );
  }

  /** Throws if there is no session. */
  async encrypt(peer: string, plaintext: Uint8Array): Promise<Ciphertext> {
    const cipher = new PhoneCipher(this.#storage(), this.#address(peer));
    const { type, body } = await this.#lanes.run(peer, () => cipher.encrypt(Buffer.from(plaintext)));
    return { type: type === 3 ? 'pkmsg' : 'msg', bytes: Buffer.from(body, 'binary') };
  }

  /** Throws if no session matches. */
  async decrypt(peer: string, { type, bytes }: Ciphertext): Promise<Buffer> {
    const cipher = new PhoneCipher(this.#storage(), this.#address(peer));
    return this.#lanes.run(peer, () =>
      type === 'pkmsg' ? cipher.decryptPreKeyWhisperMessage(bytes) : cipher.decryptWhisperMessage(bytes),
    );
  }

  /** Encrypts with this phone's sender key of the group; `distribution` goes to devices that do not have it yet. */
  async encryptForGroup(
    group: string,
    plaintext: Uint8Array,
  ): Promise<{ ciphertext: Uint8Array; distribution: Uint8Array }> {
    const name = new SenderKeyName(group, this.#address('self'));
    const store = this.#senderKeyStore();
    const distribution = await new GroupSessionBuilder(store).create(name);
    const ciphertext = await new GroupCipher(store, name).encrypt(plaintext);
    return { ciphertext, distribution: distribution.serialize() };
  }

  /** Stores the sender key that a peer has distributed for a group. */
  async learnSenderKey(group: string, peer: string, distribution: Uint8Array): Promise<void> {
    const message = new SenderKeyDistributionMessage(null, null, null, null, distribution);
    await new GroupSessionBuilder(this.#senderKeyStore()).process(
      new SenderKeyName(group, this.#address(peer)),
      message,
    );
  }

  /** Throws if the peer's sender key is unknown. */
  async decryptFromGroup(group: string, peer: string, ciphertext: Uint8Array): Promise<Uint8Array> {
    return new GroupCipher(this.#senderKeyStore(), new SenderKeyName(group, this.#address(peer))).decrypt(
      ciphertext,
    );
  }

  #address(peer: string): ProtocolAddress {
    // libsignal does not accept dots in an address.
    return new ProtocolAddress(`${this.#scope}-${peer.replaceAll('.', '-')}`, 0);
  }

  #newPreKey(): PreKey {
    const keyPair = Curve.generateKeyPair();
    const keyId = this.#nextPreKeyId;
    this.#nextPreKeyId = (keyId % 0xfffffe) + 1;
    this.#preKeys.set(keyId, keyPair);
    return { keyId, publicKey: keyPair.public };
  }

  #signedKeyPair(): SignedKeyPair {
    if (!this.#signedPreKey) {
      const keyPair = Curve.generateKeyPair();
      const signature = signXeddsa(this.identity.private, typed(keyPair.public));
      this.#signedPreKey = { keyId: 1, keyPair, signature };
    }
    return this.#signedPreKey;
  }

  #publicSignedPreKey(): SignedPreKey {
    const { keyId, keyPair, signature } = this.#signedKeyPair();
    return { keyId, publicKey: keyPair.public, signature };
  }

  #senderKeyStore() {
    const records = this.#senderKeys;
    return {
      loadSenderKey: async (name: SenderKeyName) => records.get(name.toString()) ?? new SenderKeyRecord(),
      storeSenderKey: async (name: SenderKeyName, record: SenderKeyRecord) => {
        records.set(name.toString(), record);
      },
    };
  }

  #storage() {
    return {
      loadSession: async (address: string) => {
        const record = this.#sessions.get(address);
        return record && SessionRecord.deserialize(record);
      },
      storeSession: async (address: string, record: SessionRecord) => {
        this.#sessions.set(address, record.serialize());
      },
      isTrustedIdentity: () => true,
      loadPreKey: async (keyId: number | string) => {
        const keyPair = this.#preKeys.get(Number(keyId));
        return keyPair && toLibsignal(keyPair);
      },
      removePreKey: (keyId: number) => {
        this.#preKeys.delete(keyId);
      },
      loadSignedPreKey: () => toLibsignal(this.#signedKeyPair().keyPair),
      getOurRegistrationId: () => this.#registrationId,
      getOurIdentity: () => toLibsignal(this.identity),
    };
  }
}

function toLibsignal(keyPair: KeyPair): { privKey: Buffer; pubKey: Buffer } {
  return { privKey: Buffer.from(keyPair.private), pubKey: typed(keyPair.public) };
}
