import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@wafleet/client';
import { type Cluster, listSessions, startCluster, type TestTenant } from '@wafleet/testkit';
import { expect } from 'vitest';
import { inConflict, type LinkedSession, linkedAnew, linkSessions } from './linked-sessions.js';
import { movesOf } from './moves.js';
import { report } from './report.js';
import { Traffic } from './traffic.js';

const SENDERS = 4;

/** A cluster in which one worker has open sessions under traffic in both directions, and another worker is free. */
export class DrainedWorker {
  readonly #cluster: Cluster;
  #traffic: Traffic | undefined;

  static async prepare(): Promise<DrainedWorker> {
    return new DrainedWorker(await startCluster({ workers: 1 }));
  }

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Stops the worker and checks that its sessions moved, that nothing was lost on the way, and that it ended well. */
  async check(count: number): Promise<void> {
    const cluster = this.#cluster;
    const tenant = await cluster.addTenant();
    const sessions = await linkSessions(cluster, tenant, count);
    const [leaving] = cluster.workers;
    if (leaving === undefined) throw new Error('no worker runs');
    const [former] = await ownersOf(tenant);
    await cluster.addWorker();
    const traffic = await Traffic.start({ cluster, tenant, sessions, everyMs: 1_000 });
    this.#traffic = traffic;
    await traffic.flows();

    const receiver = cluster.simulator.addPhone({ name: 'Receiver' });
    const senders = sessions
      .slice(0, SENDERS)
      .map((session) => sendThrough(tenant, session, receiver.number));
    const stoppedAt = Date.now();
    const exit = await leaving.stop();
    const drainMs = Date.now() - stoppedAt;
    await traffic.flows();
    const outgoing = await Promise.all(senders.map((sender) => sender.stop()));
    const texts = outgoing.flatMap(({ sent }) => sent).sort();
    const { sent, duplicates, gaps } = await traffic.finish();
    report('worker-is-drained', {
      sessions: count,
      drainMs,
      awayMs: [...movesOf(traffic.events).values()].flat(),
      gapMs: gaps,
      sent,
      duplicates,
      outgoing: texts.length,
      refused: outgoing.reduce((sum, { refusals }) => sum + refusals, 0),
    });

    expect(exit).toEqual({ code: 0, signal: null });
    expect(
      outgoing.flatMap(({ failures }) => failures),
      'texts that could not be sent',
    ).toEqual([]);
    expect(receiver.received.map(({ text }) => text).sort()).toEqual(texts);
    const owners = await ownersOf(tenant);
    expect(owners.size).toBe(1);
    expect([...owners]).not.toContain(former);
    expect(linkedAnew(sessions), 'sessions that were linked again').toEqual([]);
    expect(traffic.events.payloads('auth.qr')).toEqual([]);
    expect(inConflict(sessions), 'sessions with two connections at a time').toEqual([]);
  }

  async end(): Promise<void> {
    await this.#traffic?.close();
    await this.#cluster.stop();
  }
}

/** The workers that own the tenant's sessions. All sessions are open. */
async function ownersOf({ client }: TestTenant): Promise<ReadonlySet<string | undefined>> {
  const sessions = await listSessions(client);
  expect(sessions.filter(({ status }) => status !== 'open')).toEqual([]);
  return new Set(sessions.map(({ worker }) => worker));
}

/**
 * Sends numbered texts through a session, one after the other, until it is stopped. If a text is refused because the
 * session is away for too long, it was not sent and is tried again.
 */
function sendThrough({ client }: TestTenant, session: LinkedSession, to: string) {
  let isOver = false;
  let refusals = 0;
  const sent: string[] = [];
  const failures: unknown[] = [];
  const sending = (async () => {
    while (!isOver) {
      const text = `${session.id} says ${sent.length + failures.length + 1}`;
      await client.call('send-message', { params: { id: session.id }, body: { to, text } }).then(
        () => sent.push(text),
        (error: unknown) => {
          if (isRefusal(error)) refusals += 1;
          else failures.push(error);
        },
      );
      await delay(500);
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await sending;
      return { sent, refusals, failures };
    },
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 'NO_WORKER' || error.code === 'SESSION_NOT_OPEN');
}
