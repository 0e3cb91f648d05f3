import { DEFAULT_SETTINGS, type SessionSettings } from '@wafleet/contract';
import type { Fence, SessionSettingsStore, StoredSettings } from '@wafleet/store';

interface SettingsInForceOptions {
  readonly fence: Fence;
  readonly store: Pick<SessionSettingsStore, 'read'>;
  /** Called when something has changed. */
  readonly onChange: (before: StoredSettings, now: StoredSettings) => void;
}

/** The settings by which a session runs: those that were read last. Until then they are the defaults. */
export class SettingsInForce {
  readonly #options: SettingsInForceOptions;
  #current: StoredSettings = { settings: DEFAULT_SETTINGS, version: 0 };
  #reading: Promise<void> = Promise.resolve();

  constructor(options: SettingsInForceOptions) {
    this.#options = options;
  }

  get settings(): SessionSettings {
    return this.#current.settings;
  }

  /** The version of what was read last; 0 if nothing was. */
  get version(): number {
    return this.#current.version;
  }

  /**
   * The URL of the proxy, with its password; undefined if there is none. Reads the settings first: that may not have been
   * done yet, and the session may have missed a change.
   * @throws as `load` does.
   */
  async readProxy(): Promise<string | undefined> {
    await this.load();
    return this.#current.proxy;
  }

  /**
   * Reads the settings, and applies them. Concurrent calls read one after the other, so what is read last is the newest.
   * @throws {ProxyUnreadableError}, or an error because Redis is unreachable. The settings then stay as they are.
   */
  load(): Promise<void> {
    const { fence, store } = this.#options;
    this.#reading = this.#reading
      .catch(() => {})
      .then(async () => {
        this.#replace(await store.read(fence));
      });
    return this.#reading;
  }

  #replace(next: StoredSettings): void {
    const before = this.#current;
    this.#current = next;
    if (JSON.stringify(next) !== JSON.stringify(before)) this.#options.onChange(before, next);
  }
}
