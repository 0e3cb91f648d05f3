import type { Logger } from '@wafleet/runtime';
import type { Fence, SessionPacing } from '@wafleet/store';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { BoundedMap } from '../../caches/bounded-map.js';
import { personId, toLid, toNumberId } from '../../identity/person-id.js';

interface SeenChatsOptions {
  readonly fence: Fence;
  readonly store: SessionPacing;
  /** Whether new chats are bounded, so that it must be known which are new. */
  readonly isNeeded: () => boolean;
  readonly logger: Logger;
}

/** How many people are remembered as noted already, and for how long. */
const REMEMBERED = 2_000;
const REMEMBERED_MS = 24 * 60 * 60 * 1000;
const NEVER = Number.NEGATIVE_INFINITY;

/**
 * Notes who writes to the account, and to whom the account writes on its phone: these chats are not new. Each person is
 * noted once a day by a worker, and only while new chats are bounded.
 */
export class SeenChats {
  readonly #options: SeenChatsOptions;
  readonly #noted = new BoundedMap<number>(REMEMBERED);

  constructor(options: SeenChatsOptions) {
    this.#options = options;
  }

  /** Never throws. */
  receive(events: Partial<BaileysEventMap>): void {
    const { fence, store, isNeeded, logger } = this.#options;
    const messages = events['messages.upsert']?.messages;
    if (messages === undefined || !isNeeded()) return;
    const ids = messages.flatMap(({ key }) => [key.remoteJid, key.remoteJidAlt]).flatMap(idOf);
    const now = performance.now();
    const unseen = [...new Set(ids)].filter((id) => now - (this.#noted.get(id) ?? NEVER) > REMEMBERED_MS);
    if (unseen.length === 0) return;
    for (const id of unseen) this.#noted.set(id, now);
    store.noteChats(fence, unseen).catch((error: unknown) => {
      // The next message of these people notes them.
      for (const id of unseen) this.#noted.set(id, NEVER);
      logger.warn({ err: error }, 'chats could not be noted for pacing');
    });
  }
}

function idOf(jid: string | null | undefined): string[] {
  const id = personId(jid);
  if (id === undefined) return [];
  return [id.kind === 'lid' ? toLid(id.user) : toNumberId(id.user)];
}
