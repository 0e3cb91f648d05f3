import type { CachePartition } from '@wafleet/runtime';
import {
  type BaileysEventMap,
  type BinaryNode,
  type GroupMetadata,
  isJidGroup,
  type WASocket,
} from '@whiskeysockets/baileys';

/** Approximate size of a group, and of each of its members, as objects in memory. */
const GROUP_BYTES = 1_000;
const PARTICIPANT_BYTES = 300;

export function bytesOfGroup({ participants }: GroupMetadata): number {
  return GROUP_BYTES + participants.length * PARTICIPANT_BYTES;
}

/**
 * Metadata of the groups that a session wrote to lately. Without it Baileys asks WhatsApp for a group's members at
 * every send, and WhatsApp answers `rate-overlimit`. A group is forgotten whenever WhatsApp reports any change of it,
 * and the next send asks for it again.
 */
export class GroupCache {
  readonly #known: CachePartition<GroupMetadata>;
  /** Requests that are under way and were not overtaken by a change. */
  readonly #asked = new Map<string, Promise<GroupMetadata>>();

  constructor(known: CachePartition<GroupMetadata>) {
    this.#known = known;
  }

  /**
   * Returns the group's metadata, from `fetch` if it is not known. Rejects as `fetch` does. Neither a failure nor an
   * answer that a change overtook is kept. Returns undefined if `id` is not a group: Baileys also asks for a status'
   * audience.
   */
  async get(id: string, fetch: (id: string) => Promise<GroupMetadata>): Promise<GroupMetadata | undefined> {
    if (!isJidGroup(id)) return undefined;
    return this.#known.get(id) ?? this.#asked.get(id) ?? this.#ask(id, fetch(id));
  }

  /**
   * Forgets groups as soon as WhatsApp reports over this connection that they changed, before Baileys emits an event.
   */
  follow(ws: WASocket['ws']): void {
    ws.on('CB:notification', ({ attrs }: BinaryNode) => {
      if (attrs.type === 'w:gp2' && isJidGroup(attrs.from)) this.forget(attrs.from);
    });
  }

  /** Forgets groups that changed according to events, which may have other causes than notifications. */
  invalidate(events: Partial<BaileysEventMap>): void {
    for (const { id } of events['groups.upsert'] ?? []) this.forget(id);
    for (const { id } of events['groups.update'] ?? []) this.forget(id);
    this.forget(events['group-participants.update']?.id);
  }

  /** Forgets a group that this session has changed: the notification may come after WhatsApp's answer. */
  forget(id: string | undefined): void {
    if (id === undefined) return;
    this.#asked.delete(id);
    this.#known.delete(id);
  }

  async #ask(id: string, asked: Promise<GroupMetadata>): Promise<GroupMetadata> {
    this.#asked.set(id, asked);
    try {
      const metadata = await asked;
      if (this.#asked.get(id) === asked) this.#known.set(id, metadata);
      return metadata;
    } finally {
      if (this.#asked.get(id) === asked) this.#asked.delete(id);
    }
  }
}
