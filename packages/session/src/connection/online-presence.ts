import type { SessionSettings } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { WhatsAppConnection } from './whatsapp-connection.js';

interface OnlinePresenceOptions {
  readonly inForce: { readonly settings: SessionSettings };
  readonly supervisor: { readonly current: WhatsAppConnection | undefined };
  readonly logger: Logger;
}

/** Shows the account as online, or not, as its settings say. */
export class OnlinePresence {
  readonly #options: OnlinePresenceOptions;
  /** The connection that has logged in, and what it has shown to WhatsApp. */
  #shown: { readonly connection: WhatsAppConnection; isOnline: boolean } | undefined;

  constructor(options: OnlinePresenceOptions) {
    this.#options = options;
  }

  /** Handles what a connection emits: at a login Baileys itself shows what held when the connection began. */
  receive(connection: WhatsAppConnection, events: Partial<BaileysEventMap>): void {
    if (events['connection.update']?.connection === 'open') {
      this.#shown = { connection, isOnline: connection.beganOnline && hasName(connection) };
    }
    // The name comes after the first login. Baileys shows nothing before.
    const isDue = events['connection.update'] !== undefined || events['creds.update'] !== undefined;
    if (isDue) this.follow();
  }

  /** Shows what the settings say, unless WhatsApp knows it. */
  follow(): void {
    const { inForce, supervisor, logger } = this.#options;
    const shown = this.#shown;
    const { online } = inForce.settings;
    if (shown === undefined || shown.connection !== supervisor.current || shown.isOnline === online) return;
    if (!hasName(shown.connection)) return;
    shown.isOnline = online;
    shown.connection.socket
      .sendPresenceUpdate(online ? 'available' : 'unavailable')
      .catch((error: unknown) => logger.warn({ err: error }, 'the account could not be shown as set'));
  }
}

function hasName({ socket }: WhatsAppConnection): boolean {
  return Boolean(socket.authState.creds.me?.name);
}
