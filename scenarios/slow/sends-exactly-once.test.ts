import { randomUUID } from 'node:crypto';
import { WafleetClient } from '@wafleet/client';
import { WafleetError } from '@wafleet/contract';
import { type Cluster, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { type LinkedSession, linkedAnew, linkSessions, type Phone } from '../support/linked-sessions.js';
import { report } from '../support/report.js';
import { SeededRandom } from '../support/seeded-random.js';

/**
 * Clients send texts with an Idempotency-Key each, and retry until they have an answer, while edges and workers are
 * killed with -9.
 */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 10);
const MESSAGES = Number(process.env.SCENARIO_MESSAGES ?? 2_000);
const KILLS = Number(process.env.SCENARIO_KILLS ?? 16);
const SEED = Number(process.env.SCENARIO_SEED ?? Date.now() % 1_000_000);
/** Enough that others can detect a dead worker while the one killed before it has no successor yet. */
const WORKERS = 4;
const EDGES = 3;
const CHATS_PER_SESSION = 5;
/** Longer than the claim of a killed edge and the takeover of a killed worker, several times. */
const ANSWER_MS = 240_000;
/** A client gives up on one attempt, such as one to an edge that was killed. */
const ATTEMPT_MS = 20_000;
/** Statuses below 500 after which a client tries again. */
const RETRIED: ReadonlySet<number> = new Set([408, 409, 429]);

let cluster: Cluster | undefined;

afterEach(() => cluster?.stop());

test('every recipient gets every message once, in order, though edges and workers are killed', async () => {
  const environment = { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '100' };
  const running = await startCluster({ workers: WORKERS, edges: EDGES, environment });
  cluster = running;
  const random = new SeededRandom(SEED);
  const tenant = await running.addTenant();
  const sessions = await linkSessions(running, tenant, SESSIONS);
  const chats = sessions.flatMap((session) =>
    Array.from({ length: CHATS_PER_SESSION }, () => new Chat(running, tenant, session, random)),
  );
  const perChat = Math.ceil(MESSAGES / chats.length);

  const answered = () => chats.reduce((sum, { sent }) => sum + sent.length, 0);
  const [, killed] = await Promise.all([
    Promise.all(chats.map((chat) => chat.send(perChat))),
    killInTurn(running, random, { answered, messages: perChat * chats.length }),
  ]);

  for (const { to, sent } of chats) {
    await waitFor(() => to.received.length >= sent.length, { what: 'all messages', timeoutMs: ANSWER_MS });
    expect(to.received.map(({ id, text }) => ({ id, text }))).toEqual(sent);
  }
  const ids = chats.flatMap(({ sent }) => sent.map(({ id }) => id));
  expect(new Set(ids).size).toBe(perChat * chats.length);
  expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
  const failures = chats.flatMap((chat) => chat.failures);
  report('sends-exactly-once', {
    seed: SEED,
    sessions: SESSIONS,
    messages: ids.length,
    ...killed,
    retries: failures.length,
    failures: [...new Set(failures)]
      .map((name) => `${name}:${failures.filter((each) => each === name).length}`)
      .join(','),
    repeatedAtPhones: chats.reduce((sum, { to }) => sum + to.inbox.repeated.length, 0),
  });
  expect(failures.length).toBeGreaterThan(0);
});

/** A client that writes to one person, one message after the other. */
class Chat {
  readonly to: Phone;
  /** The messages that were answered with success, in order. */
  readonly sent: { readonly id: string; readonly text: string }[] = [];
  /** Why attempts failed: codes of errors, and `no answer`. */
  readonly failures: string[] = [];
  readonly #cluster: Cluster;
  readonly #tenant: TestTenant;
  readonly #session: LinkedSession;
  readonly #random: SeededRandom;

  constructor(cluster: Cluster, tenant: TestTenant, session: LinkedSession, random: SeededRandom) {
    this.#cluster = cluster;
    this.#tenant = tenant;
    this.#session = session;
    this.#random = random;
    this.to = cluster.simulator.addPhone({ name: `Reader of ${session.id}` });
  }

  async send(count: number): Promise<void> {
    for (let number = 1; number <= count; number += 1) {
      const text = `${this.#session.id} ${this.to.number} ${number}`;
      const idempotencyKey = randomUUID();
      const answer = await waitFor(() => this.#try(text, idempotencyKey), {
        what: `an answer to ${text} (seed ${SEED})`,
        timeoutMs: ANSWER_MS,
        intervalMs: 200,
      });
      if ('error' in answer) throw answer.error;
      this.sent.push({ id: answer.messageId, text });
    }
  }

  /** Makes one attempt, at any edge. Resolves to undefined if another one may succeed. */
  async #try(
    text: string,
    idempotencyKey: string,
  ): Promise<{ messageId: string } | { error: WafleetError } | undefined> {
    const { apiKey: key } = this.#tenant;
    const { url } = this.#random.oneOf(this.#cluster.edges);
    const client = new WafleetClient({ url, key, timeoutMs: ATTEMPT_MS });
    const params = { id: this.#session.id };
    const body = { to: this.to.number, text };
    try {
      return await client.call('send-message', { params, body, idempotencyKey });
    } catch (error) {
      const answer = error instanceof WafleetError ? error : undefined;
      this.failures.push(answer?.code ?? 'no answer');
      const mayRetry = answer === undefined || answer.status >= 500 || RETRIED.has(answer.status);
      return mayRetry ? undefined : { error: answer };
    }
  }
}

/**
 * Kills edges and workers in turn, each after a random number of answers, and starts another one for each. Resolves when
 * all successors run, with the number of kills.
 */
async function killInTurn(
  running: Cluster,
  random: SeededRandom,
  { answered, messages }: { readonly answered: () => number; readonly messages: number },
): Promise<{ edgesKilled: number; workersKilled: number }> {
  const { edges, workers } = running;
  const after = Array.from({ length: KILLS }, () => random.below(0.9 * messages)).sort((a, b) => a - b);
  const starts: Promise<unknown>[] = [];
  const killed = { edgesKilled: 0, workersKilled: 0 };
  for (const [turn, count] of after.entries()) {
    await waitFor(() => answered() >= count && workers.length > WORKERS / 2 && edges.length > 1, {
      what: `${count} answers`,
      timeoutMs: 2 * ANSWER_MS,
    });
    if (turn % 2 === 0) {
      killed.edgesKilled += 1;
      await random.oneOf(edges).process.kill();
      starts.push(running.addEdge());
    } else {
      killed.workersKilled += 1;
      await random.oneOf(workers).kill();
      starts.push(running.addWorker());
    }
  }
  await Promise.all(starts);
  return killed;
}
