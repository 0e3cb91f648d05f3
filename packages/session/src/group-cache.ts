import type { BaileysEventMap, GroupMetadata } from '@whiskeysockets/baileys';

const MAX_GROUPS = 200;

/**
 * Metadata of the groups that a session wrote to lately. Without it Baileys asks WhatsApp for a group's members
 * at every send, and WhatsApp answers `rate-overlimit`. Any event of a group that changes it lets go of the entry.
 */
export class GroupCache {
  readonly #groups = new Map<string, Promise<GroupMetadata>>();

  /** The group's metadata, asked for by `fetch` when it is not known. Rejects as `fetch` does; keeps no failure. */
  async get(id: string, fetch: (id: string) => Promise<GroupMetadata>): Promise<GroupMetadata> {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const asked = fetch(id);
    this.#keep(id, asked);
    try {
      return await asked;
    } catch (error) {
      if (this.#groups.get(id) === asked) this.#groups.delete(id);
      throw error;
    }
  }

  /** Lets go of what the events of one batch make stale. */
  invalidate(events: Partial<BaileysEventMap>): void {
    for (const { id } of events['groups.upsert'] ?? []) this.#groups.delete(id);
    for (const { id } of events['groups.update'] ?? []) if (id) this.#groups.delete(id);
    const participants = events['group-participants.update'];
    if (participants !== undefined) this.#groups.delete(participants.id);
  }

  #keep(id: string, metadata: Promise<GroupMetadata>): void {
    this.#groups.set(id, metadata);
    if (this.#groups.size <= MAX_GROUPS) return;
    const oldest = this.#groups.keys().next();
    if (oldest.done !== true) this.#groups.delete(oldest.value);
  }
}
