import { setTimeout as delay } from 'node:timers/promises';
import { installPatches, quietLibsignal } from '@wafleet/session';
import { type Phone, Simulator } from '@wafleet/simulator';
import { z } from 'zod';
import { paced } from '../../harness/paced.js';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import { scanRequest, sharedNow, timedText, writeLargeRequest, writeRequest } from '../protocol.js';

/** The simulated WhatsApp, with the owners of the sessions and the people who write to them. */

interface Account {
  readonly phone: Phone;
  readonly contact: Phone;
}

const simulator = new Simulator();
const accounts = new Map<string, Account>();

async function start(): Promise<{ url: string; rootKey: string }> {
  quietLibsignal();
  installPatches();
  await simulator.start();
  return { url: simulator.url, rootKey: simulator.rootKey };
}

/** The number of a person who can receive messages. */
function addPerson(): string {
  return simulator.addPhone({ name: 'Somebody' }).number;
}

/** Links a session to the phone of its account. */
async function scan({ sessionId, qr }: z.infer<typeof scanRequest>): Promise<void> {
  const account = accounts.get(sessionId) ?? {
    phone: simulator.addPhone({ name: `Account ${sessionId}` }),
    contact: simulator.addPhone({ name: `Contact of ${sessionId}` }),
  };
  accounts.set(sessionId, account);
  await account.phone.scan(qr);
}

function accountOf(sessionId: string): Account {
  const account = accounts.get(sessionId);
  if (account === undefined) throw new Error(`there is no session ${sessionId}`);
  return account;
}

/** Load of this process, such as large messages, does not count: a text is timed from when it was handed over. */
async function write({ sessionId, label, count, perSecond }: z.infer<typeof writeRequest>) {
  const { phone, contact } = accountOf(sessionId);
  const writtenAt: number[] = [];
  await paced(Array.from({ length: count }), perSecond, async (_, index) => {
    await contact.send(phone, timedText(label, index));
    writtenAt[index] = sharedNow();
  });
  return writtenAt;
}

async function writeLarge(request: z.infer<typeof writeLargeRequest>): Promise<number> {
  const { sessionId, megabytes, everyMs, forMs } = request;
  const { phone, contact } = accountOf(sessionId);
  const texts = megabytes.map((size) => 'x'.repeat(size * 1_024 * 1_024));
  const end = performance.now() + forMs;
  let sent = 0;
  while (performance.now() < end) {
    await contact.send(phone, texts[sent % texts.length] ?? '');
    sent += 1;
    await delay(everyMs);
  }
  return sent;
}

serveOperations({
  start: operation(z.object({}), start),
  'add-person': operation(z.object({}), addPerson),
  scan: operation(scanRequest, scan),
  write: operation(writeRequest, write),
  'write-large': operation(writeLargeRequest, writeLarge),
});
