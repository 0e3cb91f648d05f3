import { randomBytes } from 'node:crypto';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';

/** Kinds of data that the server can mark as outdated (`<ib><dirty type/></ib>`). Clients then fetch them again. */
export type DirtyKind = 'groups' | 'account_sync';

/**
 * The person sets how long messages of new chats live, in seconds (0: forever), at a time in seconds since 1970, or a
 * companion (`author`) does. Notifies the account's other companions.
 */
export function setDisappearingMode(
  phone: Account,
  duration: number,
  t = unixSeconds(),
  author?: Device,
): void {
  phone.disappearingMode = { duration, setAt: t };
  const change = { tag: 'disappearing_mode', attrs: { duration: String(duration), t: String(t) } };
  for (const device of phone.devices.values()) {
    if (device !== author) device.notify('account_sync', [change], { from: phone.jid });
  }
}

/** The phone blocks or unblocks somebody, or a companion (`author`) does. Notifies the account's other companions. */
export function setBlocked(
  phone: Account,
  person: Account,
  action: 'block' | 'unblock',
  author?: Device,
): void {
  if (action === 'block') phone.blocked.add(person);
  else phone.blocked.delete(person);
  const item = { tag: 'item', attrs: { action, jid: person.lid } };
  const change = { tag: 'blocklist', attrs: {}, content: [item] };
  for (const device of phone.devices.values()) {
    if (device !== author) device.notify('account_sync', [change], { from: phone.jid });
  }
}

/** The person gives another one a token of trust. Without it, WhatsApp limits what strangers may ask and send. */
export function sharePrivacyToken(from: Account, to: Account): Buffer {
  const token = randomBytes(16);
  to.privacyTokens.set(from, token);
  for (const device of to.devices.values()) {
    const attrs = { jid: device.lid, t: String(unixSeconds()), type: 'trusted_contact' };
    const tokens = { tag: 'tokens', attrs: {}, content: [{ tag: 'token', attrs, content: token }] };
    device.notify('privacy_token', [tokens], { from: from.jid, sender_lid: from.lid });
  }
  return token;
}

/** Notifies the account's online companions that some of their data is outdated. */
export function markDirty(phone: Account, type: DirtyKind, timestamp = unixSeconds()): void {
  const dirty = { tag: 'dirty', attrs: { type, timestamp: String(timestamp) } };
  for (const device of phone.devices.values()) device.send({ tag: 'ib', attrs: {}, content: [dirty] });
}
