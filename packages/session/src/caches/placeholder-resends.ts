import type { CachePartition } from '@wafleet/runtime';
import type { WAMessage, WASocket } from '@whiskeysockets/baileys';
import { BaileysCache } from './baileys-cache.js';

/** What Baileys keeps of a message that came without its content. */
type Placeholder = Pick<WAMessage, 'key'>;

function isPlaceholder(kept: unknown): kept is Placeholder {
  return typeof kept === 'object' && kept !== null && 'key' in kept;
}

/**
 * Messages that came without their content, until the phone has answered Baileys' request for them. Baileys asks two
 * seconds after the message came. If the connection breaks in between, the message is acknowledged but was not asked
 * for.
 */
export class PlaceholderResends extends BaileysCache {
  readonly #kept: CachePartition<NonNullable<unknown>>;

  constructor(kept: CachePartition<NonNullable<unknown>>) {
    super(kept);
    this.#kept = kept;
  }

  /**
   * Asks over a new connection for the contents that are still missing. The phone may be asked twice. Rejects if asking
   * fails.
   */
  async askAgain(socket: WASocket): Promise<void> {
    const missing = [...this.#kept.entries()];
    await Promise.all(
      missing.map(async ([id, kept]) => {
        if (!isPlaceholder(kept)) return;
        const { remoteJid = null, fromMe = null, participant = null } = kept.key;
        // Baileys does not ask for a message that is in the cache.
        this.#kept.delete(id);
        await socket.requestPlaceholderResend({ remoteJid, fromMe, id, participant }, kept);
      }),
    );
  }
}
