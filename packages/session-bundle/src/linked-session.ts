import type { KeyPair } from './curve25519.js';
import type { RecordType } from './record-names.js';

/** The signature with which a phone made the device a part of its account. */
export interface AccountIdentity {
  readonly details: Buffer;
  readonly accountSignatureKey: Buffer;
  readonly accountSignature: Buffer;
  readonly deviceSignature: Buffer;
}

/**
 * The credentials of a linked session, as Baileys 7 has them. Has further fields of Baileys, which are copied as they
 * are; bytes are Buffers everywhere.
 */
export interface LinkedCredentials {
  readonly me: { readonly id: string; readonly lid?: string; readonly name?: string };
  readonly noiseKey: KeyPair;
  readonly signedIdentityKey: KeyPair;
  readonly signedPreKey: { readonly keyPair: KeyPair; readonly signature: Buffer; readonly keyId: number };
  readonly registrationId: number;
  readonly account: AccountIdentity;
  readonly nextPreKeyId: number;
  readonly firstUnuploadedPreKeyId: number;
  readonly myAppStateKeyId?: string;
  readonly [field: string]: unknown;
}

/** The Signal records of a session, by their ids. */
export type SignalRecords = ReadonlyMap<RecordType, ReadonlyMap<string, unknown>>;

/** A session that is linked to a phone: all that a client needs to go on with it. */
export interface LinkedSession {
  readonly creds: LinkedCredentials;
  readonly keys: SignalRecords;
}

/**
 * Something that was not taken over as it was stored, by kind: how many records, and never which.
 * `unknown-name`: files or fields that are not of a session. `malformed`: records that no release can read; each is
 * learnt again. `repaired`: files with the rest of an earlier text. `key-mismatch`: pre-keys whose halves do not belong
 * together. `old-pre-keys`: used ones that the gateway kept. `sender-keys-converted`, `moved-to-lid`, `devices-listed`,
 * `pairs-completed`: what Baileys 7 stores otherwise than 6. `app-state-dropped`: the synchronised state, which is
 * fetched again so that chats and contacts are published. `pre-keys-missing`: the container has no pre-key although
 * there were some, so first messages of new contacts may be late. `signed-pre-key-unsigned`: new contacts refuse it.
 * `counters-repaired`, `device-signature-missing`. `older-credentials`: two containers had credentials of the device;
 * the newer ones were taken. `own-session-dropped`: the Signal session with the phone, which WAHA keeps an old form of.
 */
export type Note =
  | 'unknown-name'
  | 'malformed'
  | 'repaired'
  | 'key-mismatch'
  | 'old-pre-keys'
  | 'sender-keys-converted'
  | 'moved-to-lid'
  | 'devices-listed'
  | 'pairs-completed'
  | 'app-state-dropped'
  | 'pre-keys-missing'
  | 'signed-pre-key-unsigned'
  | 'counters-repaired'
  | 'device-signature-missing'
  | 'older-credentials'
  | 'own-session-dropped';

/** Counts what was not taken over as it was. */
export class Notes {
  readonly #counts = new Map<Note, number>();

  add(note: Note, count = 1): void {
    if (count > 0) this.#counts.set(note, (this.#counts.get(note) ?? 0) + count);
  }

  /** By kind, in the order of their first occurrence. */
  counts(): Readonly<Partial<Record<Note, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
