import type { BaileysEventMap } from '@whiskeysockets/baileys';
import type { MappedEvent } from './mapped-event.js';
import { type JsonObject, normaliseObject } from './normalise.js';
import { published } from './published.js';

function credsUpdate(payload: JsonObject): MappedEvent[] {
  return Object.keys(payload).length === 0 ? [] : [{ event: 'creds.update', payload }];
}

/**
 * The part of a change of credentials that a client may see: who the account is, on what platform, whether it is
 * linked, and its settings. Everything else is key material. The fields are picked, not stripped, so that a field that
 * a later Baileys adds is not published. `registered` is true once the phone has signed this device's identity
 * (`account`): Baileys' own flag of that name stays false when the link was made by QR code.
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
  const settings = published('accountSettings', update.accountSettings);
  if (Object.keys(settings).length > 0) payload.settings = settings;
  return credsUpdate(payload);
}

export function mapSettings({ setting, value }: BaileysEventMap['settings.update']): MappedEvent[] {
  return credsUpdate({ settings: published('accountSettings', { [setting]: value }) });
}

/** A label of a business account was made, changed or deleted. */
export function mapLabel(label: BaileysEventMap['labels.edit']): MappedEvent[] {
  return credsUpdate({ labels: [published('label', label)] });
}

/** How many new chats WhatsApp lets the account begin. */
export function mapNewChatLimit(limit: BaileysEventMap['message-capping.update']): MappedEvent[] {
  const newChatLimit = normaliseObject({
    totalQuota: limit.total_quota,
    usedQuota: limit.used_quota,
    cycleStartTimestamp: limit.cycle_start_timestamp,
    cycleEndTimestamp: limit.cycle_end_timestamp,
    serverSentTimestamp: limit.server_sent_timestamp,
    oteStatus: limit.ote_status,
    mvStatus: limit.mv_status,
    cappingStatus: limit.capping_status,
  });
  return credsUpdate({ newChatLimit });
}
