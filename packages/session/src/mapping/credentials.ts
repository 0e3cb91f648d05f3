import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import type { JsonObject } from './normalise.js';

/**
 * What a client may know of a change of credentials: who the account is, on what platform, and whether it is
 * linked. Everything else is key material; the fields are picked, not stripped, so that a field which a later
 * Baileys adds stays inside. `registered` is true once the phone has signed this device's identity (`account`):
 * Baileys' own flag of that name stays false when the link was made by QR code.
 */
export function mapCredentials(update: BaileysEventMap['creds.update']): MappedEvent[] {
  const payload: JsonObject = {};
  if (update.me?.id) {
    const { id, lid, name } = update.me;
    payload.me = { id, ...(lid ? { lid } : {}), ...(name ? { name } : {}) };
  }
  if (update.platform) payload.platform = update.platform;
  if (update.account) payload.registered = true;
  else if (update.registered !== undefined) payload.registered = update.registered;
  return Object.keys(payload).length === 0 ? [] : [{ event: 'creds.update', payload }];
}
