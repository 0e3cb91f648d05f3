import { createLogger } from '@wafleet/runtime';
import { installPatches, quietLibsignal } from '@wafleet/session';
import { type Device, type Group, linkReadyCompanion, type Phone, Simulator } from '@wafleet/simulator';
import { Cipher, connectRedis, SessionDirectory } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { z } from 'zod';
import { paced } from '../../harness/paced.js';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { saveToFiles, saveToRedis } from '../credentials.js';
import {
  folderOf,
  labelOf,
  linkRequest,
  type Session,
  sessionsRequest,
  textOf,
  turnsOf,
  type Writing,
  writeRequest,
} from '../protocol.js';

/** The simulated WhatsApp, with the people who exchange messages with the sessions. */

/** Number of people in each session's group, besides the session's own account. */
const PEOPLE_OF_A_GROUP = 4;
/** The same for both contenders' sessions. Fewer than real ones, so that linking is cheap. */
const PRE_KEYS = 30;
const PATIENCE_MS = 60_000;

interface Account {
  readonly phone: Phone;
  readonly device: Device;
  readonly contact: Phone;
  readonly group: Group;
}

const simulator = new Simulator();
const accounts = new Map<string, Account>();

async function start(): Promise<{ url: string; rootKey: string }> {
  // With signatures in plain JavaScript, the people would be slower than the contenders.
  quietLibsignal();
  installPatches();
  await simulator.start();
  return { url: simulator.url, rootKey: simulator.rootKey };
}

/** Links `count` more sessions and stores their credentials. */
async function link({ count, destination }: z.infer<typeof linkRequest>): Promise<Session[]> {
  const store = destination.kind === 'files' ? toFiles(destination.folder) : toRedis(destination);
  const sessions: Session[] = [];
  try {
    for (let made = 0; made < count; made += 1) {
      const id = `s-${accounts.size}`;
      const phone = simulator.addPhone({ name: `Account ${id}` });
      const people = Array.from({ length: PEOPLE_OF_A_GROUP }, (_, index) =>
        simulator.addPhone({ name: `Person ${index} of ${id}` }),
      );
      const [contact = phone] = people;
      // Before the account has a device, so that no device is notified of it.
      const group = contact.createGroup(`Group of ${id}`, [phone, ...people.slice(1)]);
      await store.save(id, linkReadyCompanion(phone, { preKeyCount: PRE_KEYS }));
      const [device] = phone.devices.values();
      if (device === undefined) throw new Error('the account has no device');
      accounts.set(id, { phone, device, contact, group });
      sessions.push({ id, number: phone.number, contact: contact.lid, group: group.jid });
    }
  } finally {
    store.close();
  }
  return sessions;
}

interface CredentialsStore {
  readonly save: (id: string, companion: ReturnType<typeof linkReadyCompanion>) => Promise<void>;
  readonly close: () => void;
}

function toFiles(folder: string): CredentialsStore {
  return { save: (id, companion) => saveToFiles(folderOf(folder, id), companion), close: () => {} };
}

function toRedis(options: { redisUrl: string; encryptionKey: string; tenantId: string }): CredentialsStore {
  const { redisUrl, encryptionKey, tenantId } = options;
  const logger = createLogger({ app: 'benchmark', level: 'warn' });
  const redis = connectRedis({ url: redisUrl, role: 'command', name: 'linker', logger });
  const cipher = Cipher.fromHexKeys(encryptionKey);
  const directory = new SessionDirectory(redis);
  return {
    save: async (sessionId, companion) => {
      await directory.create({ tenantId, sessionId });
      await saveToRedis(redis, cipher, { tenantId, sessionId }, companion);
    },
    close: () => redis.disconnect(),
  };
}

function accountOf(id: string): Account {
  const account = accounts.get(id);
  if (account === undefined) throw new Error(`there is no session ${id}`);
  return account;
}

/** Sends messages from contacts to their sessions. Resolves when the sessions have acknowledged all of them. */
async function write({ label, chat, perSecond, ...turns }: Writing): Promise<void> {
  await paced(turnsOf(turns), perSecond, async (id, index) => {
    const { phone, contact, group } = accountOf(id);
    const text = textOf(label, index);
    await contact.send(chat === 'group' ? group : phone, text, { id: text });
  });
  await acknowledged(turns);
}

/** Resolves when the sessions have acknowledged everything that was sent to them. */
async function acknowledged({ sessions }: Pick<Writing, 'sessions'>): Promise<void> {
  const devices = sessions.map((id) => accountOf(id).device);
  await waitFor(() => devices.every(({ pendingCount }) => pendingCount === 0), {
    what: 'everything acknowledged',
    timeoutMs: PATIENCE_MS,
  });
}

/** Resolves when the contacts have the messages of the sessions, and the sessions have their receipts. */
async function delivered({ label, ...turns }: Writing): Promise<void> {
  const expected = turnsOf(turns);
  const contacts = new Set(turns.sessions.map((id) => accountOf(id).contact));
  const countOf = ({ received }: Phone) =>
    new Set(received.map(({ text = '' }) => text).filter((text) => labelOf(text) === label)).size;
  await waitFor(() => [...contacts].reduce((sum, each) => sum + countOf(each), 0) === expected.length, {
    what: `${expected.length} messages delivered`,
    timeoutMs: PATIENCE_MS,
    intervalMs: 100,
  });
  // Each phone has its own delay before it confirms a message, up to 100 ms longer than the shortest.
  await new Promise((resolve) => setTimeout(resolve, simulator.receiptDelayMs + 150));
  await acknowledged(turns);
}

/** Makes the sessions log in again: closes their connections as WhatsApp does when it demands a restart. */
async function restart({ sessions }: z.infer<typeof sessionsRequest>): Promise<void> {
  const devices = sessions.map((id) => accountOf(id).device);
  const before = devices.map(({ loginRecord }) => loginRecord.logins);
  for (const device of devices) device.close({ code: 515 });
  const isBack = (device: Device, index: number) =>
    device.isOnline && device.loginRecord.logins > (before[index] ?? 0);
  await waitFor(() => devices.every(isBack), { what: 'all sessions logged in', timeoutMs: PATIENCE_MS });
  await acknowledged({ sessions });
  const again = devices.reduce((sum, { loginRecord }) => sum + loginRecord.logins, 0);
  const expected = before.reduce((sum, logins) => sum + logins + 1, 0);
  if (again !== expected) throw new Error(`${again} logins instead of ${expected}`);
}

serveOperations({
  start: operation(z.object({}), start),
  link: operation(linkRequest, link),
  write: operation(writeRequest, write),
  delivered: operation(writeRequest, delivered),
  restart: operation(sessionsRequest, restart),
});
