import { randomBytes } from 'node:crypto';
import {
  decodeSyncdPatch,
  encodeSyncdPatch,
  hkdf,
  hmacSign,
  type LTHashState,
  newLTHashState,
  proto,
  type WAPatchName,
} from '@whiskeysockets/baileys';
import type { AppStateAction } from './actions.js';
import type { AppStateCollections } from './collections.js';

/** A patch whose MACs do not verify: its author and the phone disagree on the collection's content or its key. */
export class AppStateIntegrityError extends Error {
  override readonly name = 'AppStateIntegrityError';
}

/** One entry of an account's app-state as every device of the account sees it. */
export interface AppStateEntry {
  readonly collection: WAPatchName;
  /** e.g. `['archive', '106825993066104@lid']`. */
  readonly index: readonly string[];
  readonly value: proto.ISyncActionValue;
}

/**
 * The phone's view of its account's app-state: the key that all of its devices share, an LT-hash per collection, and
 * the entries in clear. Patches of one account are applied one at a time, in the order of the calls.
 */
export class PhoneAppState {
  /** Content of `APP_STATE_SYNC_KEY_SHARE`. A companion cannot read the app-state before it has this key. */
  readonly key: proto.Message.IAppStateSyncKey = {
    keyId: { keyId: Buffer.concat([Buffer.alloc(4), randomBytes(2)]) },
    keyData: { keyData: randomBytes(32), fingerprint: { rawId: 1, currentIndex: 0 }, timestamp: Date.now() },
  };
  readonly #keyId = Buffer.from(this.key.keyId?.keyId ?? []).toString('base64');
  readonly #keyData = proto.Message.AppStateSyncKeyData.fromObject({ ...this.key.keyData });
  readonly #states = new Map<WAPatchName, LTHashState>();
  readonly #entries = new Map<string, AppStateEntry>();
  /** What is set, sealed, by collection and the MAC of its index. */
  readonly #records = new Map<WAPatchName, Map<string, proto.ISyncdRecord>>();
  readonly #collections: AppStateCollections;
  #last: Promise<unknown> = Promise.resolve();

  constructor(collections: AppStateCollections) {
    this.#collections = collections;
  }

  /** The entry at an index, e.g. `entry('mute', jid)`; undefined if it was never set or has been removed. */
  entry(...index: string[]): proto.ISyncActionValue | undefined {
    return this.#entries.get(JSON.stringify(index))?.value;
  }

  /** All entries, in the order in which they were first set. */
  get entries(): readonly AppStateEntry[] {
    return [...this.#entries.values()];
  }

  /** Writes the phone's own change to the server's collection; resolves to the collection's new version. */
  write(action: AppStateAction): Promise<number> {
    return this.#inTurn(async () => {
      const { collection } = action;
      const before = this.#state(collection);
      const { patch } = await encodeSyncdPatch(
        {
          type: collection,
          index: action.index,
          syncAction: { ...action.value, timestamp: action.value.timestamp ?? Date.now() },
          apiVersion: action.version,
          operation: proto.SyncdMutation.SyncdOperation[action.operation],
        },
        this.#keyId,
        before,
        async () => this.#keyData,
      );
      const version = before.version + 1;
      const encoded = proto.SyncdPatch.encode({ ...patch, version: { version } }).finish();
      await this.#apply(collection, encoded);
      return this.#collections.append(collection, encoded, before.version);
    });
  }

  /**
   * Accepts a companion's patch: reads it and stores it with its version number. A patch that the phone cannot read is
   * not stored: WhatsApp's server could not detect it, but it would break the account's sync permanently.
   * @param onTopOf the version that the companion's patch is based on.
   * @throws AppStateConflictError if the companion's version is behind; AppStateIntegrityError for a broken patch.
   */
  acceptPatch(collection: WAPatchName, patch: Uint8Array, onTopOf: number): Promise<number> {
    return this.#inTurn(async () => {
      this.#collections.requireVersion(collection, onTopOf);
      const decoded = proto.SyncdPatch.decode(patch);
      const numbered = proto.SyncdPatch.encode({ ...decoded, version: { version: onTopOf + 1 } }).finish();
      await this.#apply(collection, numbered);
      return this.#collections.append(collection, numbered, onTopOf);
    });
  }

  /** A collection as one `SyncdSnapshot`, encoded, at its version. */
  snapshot(collection: WAPatchName): Promise<{ version: number; encoded: Uint8Array }> {
    return this.#inTurn(async () => {
      const { version, hash } = this.#state(collection);
      const snapshot = {
        version: { version },
        records: [...(this.#records.get(collection)?.values() ?? [])],
        mac: this.#snapshotMac(hash, version, collection),
        keyId: { id: Buffer.from(this.#keyId, 'base64') },
      };
      return { version, encoded: proto.SyncdSnapshot.encode(snapshot).finish() };
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task, task);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #state(collection: WAPatchName): LTHashState {
    return this.#states.get(collection) ?? newLTHashState();
  }

  async #apply(collection: WAPatchName, encoded: Uint8Array): Promise<void> {
    const patch = proto.SyncdPatch.decode(encoded);
    const version = Number(patch.version?.version ?? 0);
    // decodeSyncdPatch reports what it read only to the callback, and never whether an entry was set or removed.
    const operations = patch.mutations.map((mutation) => mutation.operation);
    const { SET } = proto.SyncdMutation.SyncdOperation;
    let read = 0;
    const { hash, indexValueMap } = await decodeSyncdPatch(
      patch,
      collection,
      { ...this.#state(collection), version },
      async (id) => (id === this.#keyId ? this.#keyData : undefined),
      ({ syncAction, index }) => {
        const key = JSON.stringify(index);
        if ((operations[read] ?? SET) === SET && syncAction.value) {
          this.#entries.set(key, { collection, index, value: syncAction.value });
        } else {
          this.#entries.delete(key);
        }
        read += 1;
      },
      true,
    ).catch((error: unknown) => {
      throw new AppStateIntegrityError(`Unreadable patch ${version} of ${collection}: ${String(error)}`);
    });
    if (!this.#snapshotMac(hash, version, collection).equals(Buffer.from(patch.snapshotMac ?? []))) {
      throw new AppStateIntegrityError(`LT-hash mismatch at version ${version} of ${collection}`);
    }
    this.#states.set(collection, { version, hash, indexValueMap });
    const records = this.#records.get(collection) ?? new Map<string, proto.ISyncdRecord>();
    this.#records.set(collection, records);
    for (const { operation, record } of patch.mutations) {
      const index = Buffer.from(record?.index?.blob ?? []).toString('base64');
      if ((operation ?? SET) === SET && record) records.set(index, record);
      else records.delete(index);
    }
  }

  #snapshotMac(hash: Uint8Array, version: number, collection: WAPatchName): Buffer {
    const mutationKeys = hkdf(Buffer.from(this.#keyData.keyData ?? []), 160, {
      info: 'WhatsApp Mutation Keys',
    });
    const counter = Buffer.alloc(8);
    counter.writeUInt32BE(version, 4);
    return Buffer.from(
      hmacSign(Buffer.concat([hash, counter, Buffer.from(collection)]), mutationKeys.slice(96, 128)),
    );
  }
}
