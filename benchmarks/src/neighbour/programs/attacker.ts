import { spawnSync } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { setPriority } from 'node:os';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, EventLog, Ownership, SessionDirectory } from '@wafleet/store';
import { z } from 'zod';
import { operation, serveOperations } from '../../harness/serve-operations.js';
import type { Attack } from '../attacks/attack.js';
import { connectAndCut } from '../attacks/connect-and-cut.js';
import { largeMessages } from '../attacks/large-messages.js';
import { repeatedSubscriptions } from '../attacks/repeated-subscriptions.js';
import { sendFlood } from '../attacks/send-flood.js';
import { sessionFlood } from '../attacks/session-flood.js';
import { Tally } from '../attacks/tally.js';
import { unreadStreams } from '../attacks/unread-streams.js';
import { type AttackName, attackRequest, fillRequest } from '../protocol.js';

/** The attacker. It yields the core to the rest of the load, so that its own CPU use is not measured. */

const LOWEST_PRIORITY = 19;
const APPENDED_AT_ONCE = 50;
const FILLER = 'filler';

const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  'unread-streams': unreadStreams,
  'repeated-subscriptions': repeatedSubscriptions,
  'connect-and-cut': connectAndCut,
  'session-flood': sessionFlood,
  'send-flood': sendFlood,
  'large-messages': largeMessages,
};

interface Running {
  readonly abort: AbortController;
  readonly tally: Tally;
  readonly done: Promise<void>;
}

const [redisUrl = ''] = process.argv.slice(2);
let running: Running | undefined;

/** Fills a tenant's log as a worker does. */
async function fill({ tenant, events, bytes }: z.infer<typeof fillRequest>): Promise<void> {
  const logger = createLogger({ app: 'benchmark', level: 'warn' });
  const redis = connectRedis({ url: redisUrl, role: 'command', name: 'attacker', logger });
  const ref = { tenantId: tenant.tenantId, sessionId: FILLER };
  await new SessionDirectory(redis).create(ref);
  const ownership = new Ownership(redis);
  const claim = await ownership.claim(ref, { worker: 'benchmark' });
  if ('refusedBy' in claim) throw new Error(`${claim.refusedBy.worker} owns the session`);
  const log = new EventLog(redis);
  const event = { event: 'messages.update', body: JSON.stringify({ text: 'x'.repeat(bytes) }) } as const;
  for (let left = events; left > 0; left -= APPENDED_AT_ONCE) {
    const batch = Array.from({ length: Math.min(left, APPENDED_AT_ONCE) }, () => event);
    await log.append(claim.fence, batch);
  }
  redis.disconnect();
}

function begin({ name, ...target }: z.infer<typeof attackRequest>): void {
  if (running !== undefined) throw new Error('an attack is under way');
  const abort = new AbortController();
  // Each connection of an attack adds a listener.
  setMaxListeners(0, abort.signal);
  const tally = new Tally();
  const done = ATTACKS[name]({ ...target, tally, signal: abort.signal });
  // Reported by `end`.
  done.catch(() => {});
  running = { abort, tally, done };
}

/** Ends the attack. Resolves when all its connections and calls have ended. */
async function end(): Promise<Record<string, number>> {
  if (running === undefined) throw new Error('there is no attack');
  const { abort, tally, done } = running;
  running = undefined;
  abort.abort();
  await done;
  return tally.toObject();
}

setPriority(LOWEST_PRIORITY);
// Linux lets a process of the lowest priority finish its time slice of a few ms. With SCHED_IDLE it yields at once.
spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(process.pid)]);
serveOperations({
  fill: operation(fillRequest, fill),
  begin: operation(attackRequest, begin),
  end: operation(z.object({}), end),
});
