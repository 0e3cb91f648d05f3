import type { Logger } from '@wafleet/runtime';
import type { SessionRef, SessionSettingsStore } from '@wafleet/store';

/** In how many looks all sessions are compared. With a look every 3 s that is once in 30 s. */
const LOOKS = 10;

/** What is used of an owned session. */
export interface Noticing {
  readonly fence: SessionRef;
  readonly session: { noticeSettings(version: number): Promise<void> };
}

/**
 * Compares the stored versions of the sessions' settings with those in force, a part of the sessions in each look. An
 * edge tells the worker of each change; this finds those whose notice was lost.
 */
export class SettingsWatch {
  readonly #store: Pick<SessionSettingsStore, 'readVersions'>;
  readonly #logger: Logger;
  #left: Noticing[] = [];
  #atOnce = 0;
  #isLooking = false;

  constructor(options: { store: Pick<SessionSettingsStore, 'readVersions'>; logger: Logger }) {
    this.#store = options.store;
    this.#logger = options.logger;
  }

  /** One look. Never rejects: what could not be compared is compared in the next round. */
  async look(all: () => readonly Noticing[]): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#compare(all);
    } catch (error) {
      this.#logger.warn({ err: error }, 'the settings of sessions could not be compared');
    } finally {
      this.#isLooking = false;
    }
  }

  async #compare(all: () => readonly Noticing[]): Promise<void> {
    if (this.#left.length === 0) {
      this.#left = [...all()];
      this.#atOnce = Math.ceil(this.#left.length / LOOKS);
    }
    const part = this.#left.splice(0, this.#atOnce);
    const versions = await this.#store.readVersions(part.map(({ fence }) => fence));
    await Promise.all(part.map(({ session }, index) => session.noticeSettings(versions[index] ?? 0)));
  }
}
