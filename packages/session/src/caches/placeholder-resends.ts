import type { WAMessage, WASocket } from '@whiskeysockets/baileys';
import { BaileysCache } from './baileys-cache.js';
import type { CachePart } from './shared-cache.js';

/** What Baileys keeps of a message that came without its content. */
type Placeholder = Pick<WAMessage, 'key'>;

function isPlaceholder(kept: unknown): kept is Placeholder {
  return typeof kept === 'object' && kept !== null && 'key' in kept;
}

/**
 * The messages that came without their content, for which Baileys asks the phone, until it has answered. It asks two
 * seconds after the message came: when the connection breaks meanwhile, the message is acknowledged and not asked for.
 */
export class PlaceholderResends extends BaileysCache {
  readonly #kept: CachePart<unknown>;

  constructor(kept: CachePart<unknown>) {
    super(kept);
    this.#kept = kept;
  }

  /** Asks over a new connection for what is still missing. The phone may thus be asked twice. Rejects as that does. */
  async askAgain(socket: WASocket): Promise<void> {
    const missing = [...this.#kept.entries()];
    await Promise.all(
      missing.map(async ([id, kept]) => {
        if (!isPlaceholder(kept)) return;
        const { remoteJid = null, fromMe = null, participant = null } = kept.key;
        // What is in the cache counts as asked for.
        this.#kept.delete(id);
        await socket.requestPlaceholderResend({ remoteJid, fromMe, id, participant }, kept);
      }),
    );
  }
}
