import type { SignalDataSet, SignalDataTypeMap, SignalKeyStore } from '@whiskeysockets/baileys';

const VERSION = 'app-state-sync-version';

type Version = SignalDataTypeMap[typeof VERSION];

/**
 * Keeps the versions of the app state (contacts, chats and settings of the phone) whose write has begun and whose
 * changes may not have been emitted.
 *
 * Baileys stores a new version first and emits the changes up to it afterwards. If the connection ends in between, the
 * changes are lost: WhatsApp does not send them again to a device that has that version. The same holds for a write
 * that failed here although Redis executed it. `takeBack` restores the earlier version.
 */
export class AppStateVersions {
  readonly #read = new Map<string, Version>();
  /** The earlier version by name; null for a collection that was not synchronised before. */
  readonly #untold = new Map<string, Version | null>();

  /**
   * Wraps the keys of a connection to watch the versions.
   * @param isAlive whether the events of the connection are published.
   */
  watch(keys: SignalKeyStore, isAlive: () => boolean): SignalKeyStore {
    return {
      get: async (type, ids) => {
        const found = await keys.get(type, ids);
        if (type === VERSION) this.#noteRead(ids, found);
        return found;
      },
      set: async (data) => {
        const names = Object.keys(data[VERSION] ?? {});
        for (const name of names) {
          if (!this.#untold.has(name)) this.#untold.set(name, this.#read.get(name) ?? null);
        }
        await keys.set(data);
        // Baileys emits the changes before this turn of the event loop ends.
        if (names.length > 0) setImmediate(() => isAlive() && this.#reported(names));
      },
    };
  }

  /**
   * Call this while nothing is being written: before a connection begins, or before another worker takes the session.
   */
  async takeBack(keys: Pick<SignalKeyStore, 'set'>): Promise<void> {
    if (this.#untold.size === 0) return;
    const data: SignalDataSet = { [VERSION]: Object.fromEntries(this.#untold) };
    await keys.set(data);
    this.#reported([...this.#untold.keys()]);
  }

  #noteRead(names: readonly string[], found: Readonly<Record<string, unknown>>): void {
    for (const name of names) {
      const version = found[name];
      // Only versions are stored under this type.
      if (version === undefined) this.#read.delete(name);
      else this.#read.set(name, version as Version);
    }
  }

  #reported(names: readonly string[]): void {
    for (const name of names) {
      this.#untold.delete(name);
      this.#read.delete(name);
    }
  }
}
