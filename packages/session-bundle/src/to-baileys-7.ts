import { Breaks } from './breaks.js';
import type { MutableRecords } from './checks.js';
import type { Notes } from './linked-session.js';
import type { RecordType } from './record-names.js';

/** Baileys numbers the domains of Signal addresses: none for a number, 1 for a LID; 99 is a hosted device. */
const PN_ADDRESS = /^(\d+)\.(\d+)$/;
const HOSTED_DEVICE = 99;
const LID_DOMAIN = 1;
const HOSTED_LID_DOMAIN = 129;
const INDEX = '__index';
const REVERSE = '_reverse';

/**
 * Stores what Baileys 6 and early releases of 7 stored otherwise as Baileys 7 looks for it. Without this nothing is
 * lost: peers would be asked to send once more.
 * @param ownLid the LID of the account, if it is known.
 */
export async function bridgeToBaileys7(
  keys: MutableRecords,
  ownLid: string | undefined,
  notes: Notes,
): Promise<void> {
  nameLidDomains(keys, await knownLids(keys, ownLid), notes);
  const lidOf = completePairs(keys, notes);
  listDevices(keys, notes);
  for (const [pn, lid] of lidOf) {
    // The devices are taken from the addresses before any is moved.
    moveAddresses(keys, pn, lid, notes);
  }
  indexTokens(keys);
}

/** Baileys 6 wrote the addresses of LIDs as those of numbers. */
function nameLidDomains(keys: MutableRecords, lids: ReadonlySet<string>, notes: Notes): void {
  for (const type of ['session', 'identity-key'] as const) {
    rename(keys.get(type), (address) => {
      const [, user = '', device] = PN_ADDRESS.exec(address) ?? [];
      return lids.has(user) ? `${user}_${LID_DOMAIN}.${device}` : address;
    });
  }
  const renamed = rename(keys.get('sender-key'), (id) => {
    const [, group, user = '', device] = /^(.+)::(\d+)::(\d+)$/.exec(id) ?? [];
    return lids.has(user) ? `${group}::${user}_${LID_DOMAIN}::${device}` : id;
  });
  notes.add('moved-to-lid', renamed);
}

/** LIDs that records name as such: of the account, of pairs, and of members of groups. */
async function knownLids(keys: MutableRecords, ownLid: string | undefined): Promise<Set<string>> {
  const lids = new Set(ownLid === undefined ? [] : [ownLid]);
  for (const [id, other] of keys.get('lid-mapping') ?? []) {
    lids.add(id.endsWith(REVERSE) ? id.slice(0, -REVERSE.length) : String(other));
  }
  const breaks = new Breaks();
  for (const sent of keys.get('sender-key-memory')?.values() ?? []) {
    await breaks.next();
    const members = typeof sent === 'object' && sent !== null ? Object.keys(sent) : [];
    for (const jid of members) if (jid.endsWith('@lid')) lids.add(jid.replace(/[:@_].*$/, ''));
  }
  return lids;
}

/** Renames records; one that has the new name already stays. Returns how many were renamed. */
function rename(records: Map<string, unknown> | undefined, nameOf: (id: string) => string): number {
  let renamed = 0;
  for (const [id, record] of [...(records ?? [])]) {
    const name = nameOf(id);
    if (name === id) continue;
    records?.delete(id);
    if (records?.has(name) === false) records.set(name, record);
    renamed += 1;
  }
  return renamed;
}

/** Each pair of a number and a LID is looked up in both directions. Returns the LIDs by their numbers. */
function completePairs(keys: MutableRecords, notes: Notes): Map<string, string> {
  const pairs = keys.get('lid-mapping');
  const lidOf = new Map<string, string>();
  for (const [id, other] of [...(pairs ?? [])]) {
    const isReverse = id.endsWith(REVERSE);
    const user = isReverse ? id.slice(0, -REVERSE.length) : id;
    if (user === other || typeof other !== 'string' || !/^\d+$/.test(user)) {
      pairs?.delete(id);
      notes.add('malformed');
      continue;
    }
    const [pn, lid] = isReverse ? [other, user] : [user, other];
    if (!lidOf.has(pn)) lidOf.set(pn, lid);
  }
  for (const [pn, lid] of lidOf) {
    if (pairs?.get(pn) === lid && pairs.get(`${lid}${REVERSE}`) === pn) continue;
    pairs?.set(pn, lid).set(`${lid}${REVERSE}`, pn);
    notes.add('pairs-completed');
  }
  return lidOf;
}

/** Baileys 7 moves the Signal sessions of a number to its LID only if it finds a list of the number's devices. */
function listDevices(keys: MutableRecords, notes: Notes): void {
  const found = new Map<string, Set<string>>();
  for (const address of keys.get('session')?.keys() ?? []) {
    const [, user, device] = PN_ADDRESS.exec(address) ?? [];
    if (user === undefined || device === undefined) continue;
    const devices = found.get(user) ?? new Set();
    found.set(user, devices.add(device));
  }
  const lists = recordsOf(keys, 'device-list');
  for (const [user, devices] of found) {
    const known = lists.get(user);
    const listed: string[] = Array.isArray(known) ? known.map(String) : [];
    const all = [...new Set([...listed, ...devices])].sort((a, b) => Number(a) - Number(b));
    if (all.length === listed.length) continue;
    lists.set(user, all);
    notes.add('devices-listed');
  }
}

function moveAddresses(keys: MutableRecords, pn: string, lid: string, notes: Notes): void {
  for (const type of ['session', 'identity-key'] as const) {
    const records = keys.get(type);
    const devices = keys.get('device-list')?.get(pn);
    for (const device of Array.isArray(devices) ? devices : []) {
      const from = `${pn}.${device}`;
      const domain = Number(device) === HOSTED_DEVICE ? HOSTED_LID_DOMAIN : LID_DOMAIN;
      const to = `${lid}_${domain}.${device}`;
      const record = records?.get(from);
      if (record === undefined) continue;
      if (records?.has(to) === false) records.set(to, record);
      records?.delete(from);
      if (type === 'session') notes.add('moved-to-lid');
    }
  }
}

/** Baileys 7 lists the people that it has privacy tokens of, to delete old ones. */
function indexTokens(keys: MutableRecords): void {
  const tokens = keys.get('tctoken');
  const jids = [...(tokens?.keys() ?? [])].filter((jid) => jid !== INDEX);
  if (jids.length > 0) tokens?.set(INDEX, { token: Buffer.from(JSON.stringify(jids)) });
}

function recordsOf(keys: MutableRecords, type: RecordType): Map<string, unknown> {
  const records = keys.get(type) ?? new Map<string, unknown>();
  keys.set(type, records);
  return records;
}
