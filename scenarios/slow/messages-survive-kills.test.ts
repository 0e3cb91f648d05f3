import {
  type AppProcess,
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  waitFor,
} from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { linkedAnew, linkSessions } from '../support/linked-sessions.js';
import { MixedTraffic, type SentMessage } from '../support/mixed-traffic.js';
import { ReceivedMessages } from '../support/received-messages.js';
import { report } from '../support/report.js';
import { SeededRandom } from '../support/seeded-random.js';

/** Workers are killed with -9, again and again, at random moments of a stream of messages to all of their sessions. */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 100);
const MESSAGES = Number(process.env.SCENARIO_MESSAGES ?? 5_000);
const KILLS = Number(process.env.SCENARIO_KILLS ?? 20);
const SEED = Number(process.env.SCENARIO_SEED ?? Date.now() % 1_000_000);
/** Enough that the rest can detect a dead worker while the one killed before it has no successor yet. */
const WORKERS = 4;
const PER_SECOND = 100;
/** At most this many messages are under way, so that sending lasts until the last kill. */
const UNDER_WAY = 400;
/** Log messages: a worker finished a message that another had begun, and received one that another had finished. */
const LEFT = 'messages that were left unfinished are done';
const AGAIN = 'a message came again';
const TIMEOUT_MS = 180_000;

let cluster: Cluster | undefined;
let events: EventCollector | undefined;

afterEach(async () => {
  events?.close();
  await cluster?.stop();
});

test('every message reaches the client, in order, though workers are killed all the time', async () => {
  const random = new SeededRandom(SEED);
  const environment = {
    PLACEMENTS_PER_SECOND: '100',
    CONNECTS_PER_SECOND: '100',
    EVENT_LOG_LENGTH: '100000',
  };
  cluster = await startCluster({ workers: WORKERS, environment });
  const tenant = await cluster.addTenant();
  const sessions = await linkSessions(cluster, tenant, SESSIONS);
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['messages.upsert']);
  const received = new ReceivedMessages(events);
  const traffic = new MixedTraffic({ cluster, sessions, random });

  const killer = new Killer(cluster, random, received);
  const killing = killer.kill(KILLS, MESSAGES);
  for (let count = 1, startedAt = Date.now(); count <= MESSAGES; count += 1) {
    await traffic.sendOne();
    const due = startedAt + (count * 1000) / PER_SECOND;
    await waitFor(() => Date.now() >= due && count - received.count < UNDER_WAY, {
      what: 'messages received',
      timeoutMs: TIMEOUT_MS,
      intervalMs: 5,
    });
  }
  await killing;

  const missing = () => traffic.sent.filter(({ id }) => !received.has(id));
  await waitFor(() => missing().length === 0, {
    what: 'every message',
    timeoutMs: TIMEOUT_MS,
    intervalMs: 200,
  }).catch((error: Error) => {
    throw new Error(`${error.message} (seed ${SEED}); missing: ${JSON.stringify(missing())}`, {
      cause: error,
    });
  });

  const duplicates = traffic.sent.filter(({ id }) => received.of(id).texts.length > 1);
  const notices = traffic.sent.filter(({ id }) => received.of(id).notices > 0);
  const logs = killer.processes.flatMap((worker) => worker.logs);
  const leftUnfinished = logs.reduce(
    (sum, { messages = 0, msg }) => sum + (msg === LEFT ? Number(messages) : 0),
    0,
  );
  const cameAgain = logs.filter(({ msg }) => msg === AGAIN).length;
  const of = (kind: SentMessage['kind']) => traffic.sent.filter((sent) => sent.kind === kind).length;
  report('messages-survive-kills', {
    seed: SEED,
    sessions: SESSIONS,
    kills: killer.times.length,
    sent: traffic.sent.length,
    firstContacts: of('first contact'),
    furtherMessages: of('further message'),
    groupMessages: of('group message'),
    leftUnfinished,
    cameAgain,
    duplicates: duplicates.length,
    notDecryptedAtFirst: notices.length,
    latencyMs: traffic.sent.map(({ id, at }) => (received.of(id).times[0] ?? Number.NaN) - at),
  });
  for (const { id } of traffic.sent) expect(new Set(received.of(id).texts)).toEqual(new Set([id]));
  expect(unexplained(duplicates, received, killer.times), 'duplicates without a kill').toEqual([]);
  expect(disordered(traffic, received), 'messages that came out of order').toEqual([]);
  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
});

/** Kills workers, and starts another one for each. */
class Killer {
  /** When it killed, ms since 1970. */
  readonly times: number[] = [];
  /** All workers, including those that were killed. */
  readonly processes: AppProcess[];
  readonly #cluster: Cluster;
  readonly #random: SeededRandom;
  readonly #received: ReceivedMessages;

  constructor(cluster: Cluster, random: SeededRandom, received: ReceivedMessages) {
    this.#cluster = cluster;
    this.processes = [...cluster.workers];
    this.#random = new SeededRandom(random.below(2 ** 31));
    this.#received = received;
  }

  /** Kills `times` workers, each after a random number of received messages. Resolves when all successors run. */
  async kill(times: number, messages: number): Promise<void> {
    const { workers } = this.#cluster;
    const starts: Promise<unknown>[] = [];
    const after = Array.from({ length: times }, () => this.#random.below(messages)).sort((a, b) => a - b);
    for (const count of after) {
      await waitFor(() => this.#received.count >= count && workers.length > WORKERS / 2, {
        what: `${count} messages`,
        timeoutMs: 2 * TIMEOUT_MS,
        intervalMs: 10,
      });
      this.times.push(Date.now());
      await this.#random.oneOf(workers).kill();
      starts.push(this.#cluster.addWorker().then((worker) => this.processes.push(worker)));
    }
    await Promise.all(starts);
  }
}

/** Messages that came twice although no worker was killed between their sending and their last arrival. */
function unexplained(
  duplicates: readonly SentMessage[],
  received: ReceivedMessages,
  kills: readonly number[],
): readonly SentMessage[] {
  return duplicates.filter(({ id, at }) => {
    const last = received.of(id).times.at(-1) ?? 0;
    return !kills.some((kill) => at <= kill && kill <= last);
  });
}

/** The senders whose messages arrived out of order, by the first arrival of each. */
function disordered(traffic: MixedTraffic, received: ReceivedMessages): readonly string[] {
  return [...traffic.orders]
    .filter(([lane, ids]) => received.orders.get(lane)?.join() !== ids.join())
    .map(([lane, ids]) => `${lane}: ${received.orders.get(lane)?.join(' ')} instead of ${ids.join(' ')}`);
}
