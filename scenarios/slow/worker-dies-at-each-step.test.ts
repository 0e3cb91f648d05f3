import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { FaultPoints } from '../support/fault-points.js';
import { keepWorkers } from '../support/kept-workers.js';
import type { LinkedSession, Phone } from '../support/linked-sessions.js';
import { ReceivedMessages } from '../support/received-messages.js';

/**
 * Kills the worker of a session at each step of handling an incoming message: before and after every command to Redis
 * and every stanza to WhatsApp. Another worker takes over. Each kind of message has its own session.
 */
type Group = ReturnType<Phone['createGroup']>;

interface Kind {
  readonly id: string;
  readonly what: string;
  /** The steps that it must have: the write of the keys, the receipt and the append, in this order. */
  readonly keys: string;
  /** Prepares a message of this kind. Resolves to its sender and its chat. */
  readonly prepare: (cast: Cast) => Promise<{ sender: Phone; to: Phone | Group }>;
}

/** The people around one session. */
interface Cast {
  readonly session: LinkedSession;
  /** A person whom the session knows. */
  readonly friend: Phone;
  /** A person whom the session does not know. */
  readonly stranger: Phone;
  /** Resolves when the session has handled everything that was sent to it. */
  readonly settled: () => Promise<void>;
}

const kinds: readonly Kind[] = [
  {
    id: 'first',
    what: 'first message of a person (pkmsg)',
    keys: 'identity-key session inbox pre-key',
    prepare: async ({ stranger, session }) => ({ sender: stranger, to: session.phone }),
  },
  {
    id: 'further',
    what: 'further message of a person (msg)',
    keys: 'session inbox',
    prepare: async ({ friend, session }) => ({ sender: friend, to: session.phone }),
  },
  {
    id: 'group-stranger',
    what: 'first message of a stranger in a group (pkmsg and skmsg)',
    keys: 'identity-key session inbox pre-key',
    prepare: async ({ friend, stranger, session, settled }) => {
      const group = friend.createGroup('strangers', [session.phone, stranger]);
      await settled();
      return { sender: stranger, to: group };
    },
  },
  {
    id: 'group-first',
    what: 'first message of a person in a group (msg and skmsg)',
    keys: 'session inbox',
    prepare: async ({ friend, session, settled }) => {
      const group = friend.createGroup('friends', [session.phone]);
      await settled();
      return { sender: friend, to: group };
    },
  },
  {
    id: 'group-further',
    what: 'further message in a group (skmsg)',
    keys: 'sender-key inbox',
    prepare: async ({ friend, session, settled }) => {
      const group = friend.createGroup('friends', [session.phone]);
      await friend.send(group, { text: 'hello, all' });
      await settled();
      return { sender: friend, to: group };
    },
  },
];

const TIMEOUT_MS = 150_000;

let cluster: Cluster | undefined;
let points: FaultPoints | undefined;
let events: EventCollector | undefined;

afterEach(async () => {
  events?.close();
  // A worker that halted does not end by itself.
  await Promise.all(cluster?.workers.map((worker) => worker.kill()) ?? []);
  points?.close();
  await cluster?.stop();
});

/** A message during whose handling the worker was killed. */
interface Death {
  readonly kind: Kind;
  readonly id: string;
  /** The worker died at the last one. */
  readonly steps: readonly string[];
}

test('a message arrives at whichever step the worker dies, and so does the next message', async () => {
  const environment = { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '100' };
  const running = await startCluster({ workers: 0, environment });
  cluster = running;
  const dying = new FaultPoints();
  points = dying;
  const workers = keepWorkers(
    running,
    () => 2 * kinds.length,
    () => dying.addWorker(running),
  );
  try {
    await workers.ready();
    const tenant = await running.addTenant();
    const client = await collectEvents(running.edges[0]?.url ?? '', tenant.apiKey, ['messages.upsert']);
    events = client;
    const received = new ReceivedMessages(client);
    const sessions = await Promise.all(kinds.map((kind) => link(running, tenant, kind)));
    const deaths = await Promise.all(
      kinds.map((kind, index) => {
        const session = sessions[index];
        if (session === undefined) throw new Error('a kind without a session');
        return dieAtEachStep({ cluster: running, points: dying, tenant, received, session, kind });
      }),
    );
    conclude(deaths.flat(), received);
  } finally {
    await workers.stop();
  }
});

async function link(running: Cluster, { client }: TestTenant, { id, what }: Kind): Promise<LinkedSession> {
  const phone = running.simulator.addPhone({ name: `Owner of ${what}` });
  await client.call('create-session', { body: { id } });
  await running.linkByQr(client, id, phone);
  const [deviceId] = phone.devices.keys();
  if (deviceId === undefined) throw new Error(`${id} is open and its phone has no device`);
  return { id, phone, deviceId };
}

async function dieAtEachStep({
  cluster: running,
  points: dying,
  tenant,
  received,
  session,
  kind,
}: {
  cluster: Cluster;
  points: FaultPoints;
  tenant: TestTenant;
  received: ReceivedMessages;
  session: LinkedSession;
  kind: Kind;
}): Promise<readonly Death[]> {
  const { simulator } = running;
  const device = session.phone.devices.get(session.deviceId);
  const settled = async () => {
    await waitFor(() => device?.isOnline === true && device.pendingCount === 0, {
      what: `${session.id} has acknowledged everything`,
      timeoutMs: TIMEOUT_MS,
      intervalMs: 50,
    });
  };
  const arrives = (id: string) =>
    waitFor(() => received.has(id), {
      what: `${id} arrives`,
      timeoutMs: TIMEOUT_MS,
      intervalMs: 50,
    }).catch(async (error: Error) => {
      const state = JSON.stringify(await tenant.client.call('get-session', { params: { id: session.id } }));
      throw new Error(`${error.message}\n${state}\n${logsOf(running, session.id)}`, { cause: error });
    });
  // All kinds' workers may die at the same time.
  const hasRoom = () =>
    waitFor(() => running.workers.length > 1.5 * kinds.length, {
      what: 'workers that take over',
      timeoutMs: TIMEOUT_MS,
    });
  const say = async (sender: Phone, to: Phone | Group, id: string) => {
    await sender.send(to, { text: id }, { id });
    await arrives(id);
  };

  const friend = simulator.addPhone({ name: `Friend of ${session.id}` });
  await say(friend, session.phone, `HELLO.${session.id}`);
  // A phone keeps sending messages that begin a Signal session until it gets an answer.
  await tenant.client.call('send-message', {
    params: { id: session.id },
    body: { to: friend.number, text: 'hello' },
  });
  await friend.waitForMessage(({ text }) => text === 'hello', { timeoutMs: TIMEOUT_MS });
  const deaths: Death[] = [];
  // A worker that just took over reads from Redis what it has in memory for a later message. So there are two paths.
  for (let number = 1, passed = 0; passed < 2; number += 1) {
    const id = dying.idOf(session.id, number);
    const stranger = simulator.addPhone({ name: `Stranger ${number} of ${session.id}` });
    await hasRoom();
    await settled();
    const { sender, to } = await kind.prepare({ session, friend, stranger, settled });
    await sender.send(to, { text: id }, { id });
    const way = await waitFor(
      () => {
        const seen = dying.way(id);
        const isOver = seen.isSettled && device?.pendingCount === 0;
        return seen.haltedPid !== undefined || (isOver && received.has(id)) ? seen : undefined;
      },
      { what: `${id} is done or its worker halts`, timeoutMs: TIMEOUT_MS, intervalMs: 20 },
    );
    const worker = running.workers.find(({ pid }) => pid === way.haltedPid);
    if (worker === undefined) {
      passed += 1;
    } else {
      passed = 0;
      deaths.push({ kind, id, steps: way.steps });
      await worker.kill();
    }
    await arrives(id);
    await say(sender, to, `NEXT.${session.id}.${number}`);
  }
  return deaths;
}

/** What the workers that run have logged of a session. */
function logsOf({ workers }: Cluster, sessionId: string): string {
  return workers
    .flatMap(({ name, logs }) => logs.map((line) => ({ name, line })))
    .filter(({ line }) => line.sessionId === sessionId)
    .map(({ name, line }) => `  ${name}: ${JSON.stringify(line)}`)
    .join('\n');
}

function conclude(deaths: readonly Death[], received: ReceivedMessages): void {
  const lines = deaths.map(({ kind, id, steps }) => {
    const { texts, notices } = received.of(id);
    return `${kind.id.padEnd(14)} ${steps.at(-1)}: delivered ${texts.length} times, ${notices} notices`;
  });
  process.stdout.write(`[worker-dies-at-each-step] ${deaths.length} deaths\n${lines.join('\n')}\n`);

  for (const { kind, id, steps } of deaths) {
    const { texts, notices } = received.of(id);
    // docs/architecture/inbound-messages.md: published twice only if events of it are appended before its end.
    const hasEarlierAppend = steps.some((step) => step.startsWith('after') && isAppend(step) && !isEnd(step));
    const expected = hasEarlierAppend && texts.length === 2 ? [id, id] : [id];
    expect(texts, `${kind.what}: ${steps.at(-1)}`).toEqual(expected);
    expect(notices, `notices of ${kind.what}: ${steps.at(-1)}`).toBe(0);
  }
  for (const kind of kinds) {
    const tried = deaths.filter((death) => death.kind === kind).map(({ steps }) => steps.at(-1) ?? '');
    for (const when of ['before', 'after']) {
      const named = tried.filter((step) => step.startsWith(when));
      expect(named, kind.what).toContain(`${when} evalsha owner auth ${kind.keys}`);
      expect(named, kind.what).toContain(`${when} receipt inactive`);
      expect(
        named.some((step) => isAppend(step) && isEnd(step)),
        `${when} the append of ${kind.what}`,
      ).toBe(true);
    }
    const changes = (when: string) =>
      tried
        .filter((step) => step.startsWith(when) && isOfMessage(step))
        .map((step) => step.slice(when.length));
    expect(new Set(changes('after ')), `both sides of ${kind.what}`).toEqual(new Set(changes('before ')));
  }
}

/** Whether a step changes something for the message itself. Other writes, such as a status, occur by chance. */
function isOfMessage(step: string): boolean {
  const isWrite = !/\bh?mget\b/.test(step);
  return isWrite && (step.includes(' auth ') || step.includes(' receipt ') || isEnd(step));
}

function isAppend(step: string): boolean {
  return step.includes(' log-head ');
}

/** Whether this step marks a message as finished. */
function isEnd(step: string): boolean {
  return step.includes(' finished ');
}
