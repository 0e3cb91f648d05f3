import { isDeepStrictEqual } from 'node:util';
import { Breaks } from './breaks.js';
import { BundleError } from './bundle-error.js';
import { checkCredentials, checkRecords, type MutableRecords, repairCounters } from './checks.js';
import { type FoundRecord, findRecords, type SourceFiles, type SourceFormat } from './containers.js';
import { type CompanionDevice, deviceOf, readCredentials } from './credentials.js';
import { isTooWide, reviveBytes } from './json.js';
import { type LinkedCredentials, type LinkedSession, type Note, Notes } from './linked-session.js';
import { readSignalRecord } from './signal-records.js';
import { bridgeToBaileys7 } from './to-baileys-7.js';

/** A session that was read and checked. */
export interface ReadSession extends CompanionDevice {
  readonly session: LinkedSession;
  /** What was not taken over as it was stored, and how often. */
  readonly notes: Readonly<Partial<Record<Note, number>>>;
}

export interface ReadOptions {
  /**
   * Whether the versions of the synchronised state are taken over. Without them the state is fetched again, and all
   * chats and contacts are published. Default: false.
   */
  readonly keepAppState?: boolean | undefined;
}

/**
 * Reads a session from what another gateway has stored, checks it as far as that is possible without WhatsApp, and
 * brings it into the form of Baileys 7. Takes about a tenth of a
 * millisecond for each pre-key, and half of one for a Signal session, in small steps.
 * @throws {BundleError} if it cannot be run: see the problems. It names places, never values.
 */
export async function readForeignSession(
  format: SourceFormat,
  files: SourceFiles,
  options: ReadOptions = {},
): Promise<ReadSession> {
  const notes = new Notes();
  return readRecords(await findRecords(format, files, notes), { ...options, notes, format });
}

/** The same for records that are found already. */
export async function readRecords(
  found: readonly FoundRecord[],
  { keepAppState = false, notes, format }: ReadOptions & { notes: Notes; format?: SourceFormat },
): Promise<ReadSession> {
  const read = chooseCredentials(found, notes);
  checkCredentials(read, notes);
  const keys = await collectRecords(found, notes);
  if (format === 'waha' && found.some(({ isRow }) => isRow)) dropOwnSession(read, keys, notes);
  await checkRecords(read, keys, notes);
  await bridgeToBaileys7(keys, read.me.lid?.split(':')[0], notes);
  const hasKeys = (keys.get('app-state-sync-key')?.size ?? 0) > 0;
  if (!keepAppState || !hasKeys) {
    notes.add('app-state-dropped', keys.get('app-state-sync-version')?.size ?? 0);
    keys.delete('app-state-sync-version');
  }
  const creds = repairCounters(read, keys, notes);
  // Credentials without a device are not read.
  const { phone, device } = deviceOf(creds.me.id) ?? { phone: '', device: '' };
  return { session: { creds, keys }, phone, device, notes: notes.counts() };
}

/** A store has one, and an earlier one that another setting has left behind. To read one takes some time. */
const MAX_CREDENTIALS = 4;

/** Of several credentials of one device takes the newest: a switched setting leaves old ones behind. */
function chooseCredentials(found: readonly FoundRecord[], notes: Notes): LinkedCredentials {
  const candidates = found.filter(({ name }) => name === undefined);
  if (candidates.length > MAX_CREDENTIALS) {
    throw new BundleError('several-accounts', 'creds', 'There are too many credentials in what was given.');
  }
  if (candidates.some(({ value }) => isTooWide(value))) {
    throw new BundleError('too-large', 'creds', 'The credentials have more fields than credentials have.');
  }
  const all = candidates.map(({ value }) => readCredentials(reviveBytes(value, 'creds')));
  const [first] = all;
  if (first === undefined) {
    throw new BundleError('no-credentials', 'creds', 'There are no credentials in what was given.');
  }
  if (all.some(({ noiseKey }) => !isDeepStrictEqual(noiseKey, first.noiseKey))) {
    throw new BundleError('several-accounts', 'creds', 'There are credentials of several devices.');
  }
  notes.add('older-credentials', all.length - 1);
  const ageOf = (creds: LinkedCredentials) => [creds.nextPreKeyId, Number(creds.accountSyncCounter)] as const;
  return all.reduce((newest, creds) => {
    const [[nextId, syncs], [otherId, otherSyncs]] = [ageOf(creds), ageOf(newest)];
    return nextId > otherId || (nextId === otherId && syncs > otherSyncs) ? creds : newest;
  }, first);
}

async function collectRecords(found: readonly FoundRecord[], notes: Notes): Promise<MutableRecords> {
  const keys: MutableRecords = new Map();
  const breaks = new Breaks();
  for (const { name, value } of found) {
    await breaks.next();
    if (name === undefined || value === null || value === undefined) continue;
    const { type, id } = name;
    const revived = isTooWide(value) ? undefined : reviveBytes(value, `${type}-…`);
    const record = revived === undefined ? undefined : readSignalRecord(type, revived);
    if (record === undefined) {
      notes.add('malformed');
      continue;
    }
    if (type === 'sender-key' && Array.isArray(revived)) notes.add('sender-keys-converted');
    const records = keys.get(type) ?? new Map<string, unknown>();
    keys.set(type, records.set(id, record));
  }
  return keys;
}

function dropOwnSession({ me }: LinkedCredentials, keys: MutableRecords, notes: Notes): void {
  const [number] = me.id.split(':');
  if (keys.get('session')?.delete(`${number}.0`) === true) notes.add('own-session-dropped');
}
