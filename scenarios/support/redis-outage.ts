import { setTimeout as delay } from 'node:timers/promises';
import { payloadSchemas } from '@wafleet/contract';
import {
  type Cluster,
  listSessions,
  startCluster,
  type TestTenant,
  waitFor,
  waitForStatus,
} from '@wafleet/testkit';
import { expect } from 'vitest';
import { readEventLog } from './event-log.js';
import { type LinkedSession, linkedAnew, linkSessions, type Phone } from './linked-sessions.js';
import { report } from './report.js';
import { SequenceClient } from './sequence-client.js';

const NUMBERED = /^number (\d+)$/;
const EVERY_MS = 500;
const ARRIVAL_MS = 120_000;

/** A session and the person who writes to it. */
interface WrittenTo extends LinkedSession {
  readonly sender: Phone;
}

/** The numbered messages in the log. */
interface Logged {
  /** The numbers of each session, in the order of the log. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
  /** How many QR codes were shown. */
  readonly qrCodes: number;
}

/**
 * A cluster with two workers under traffic. Its Redis is killed, stays down for a while, and comes back with the data
 * of its append-only file. Checks the log, and that a client gets everything in it.
 */
export class RedisOutage {
  readonly #cluster: Cluster;
  readonly #tenant: TestTenant;
  readonly #sessions: readonly WrittenTo[];
  readonly #abort = new AbortController();
  readonly #sent = new Map<string, number>();
  readonly #sending: Promise<unknown>;
  readonly #listener: SequenceClient;

  static async prepare(sessions: number): Promise<RedisOutage> {
    const environment = {
      PLACEMENTS_PER_SECOND: '50',
      CONNECTS_PER_SECOND: '50',
      // Rebalancing would be correct too, but would look like a session that its owner lost.
      REBALANCE_EVERY_MS: '0',
      // The log is compared with all that was sent since the beginning.
      EVENT_LOG_LENGTH: '100000',
    };
    const cluster = await startCluster({ workers: 2, environment });
    try {
      const tenant = await cluster.addTenant();
      const linked = await linkSessions(cluster, tenant, sessions);
      const url = cluster.edges[0]?.url ?? '';
      const listener = await SequenceClient.start({ url, apiKey: tenant.apiKey });
      return new RedisOutage(cluster, tenant, linked, listener);
    } catch (error) {
      await cluster.stop().catch(() => {});
      throw error;
    }
  }

  private constructor(
    cluster: Cluster,
    tenant: TestTenant,
    sessions: readonly LinkedSession[],
    listener: SequenceClient,
  ) {
    this.#cluster = cluster;
    this.#tenant = tenant;
    this.#listener = listener;
    this.#sessions = sessions.map((session, index) => ({
      ...session,
      sender: cluster.simulator.addPhone({ name: `Sender ${index + 1}` }),
    }));
    this.#sending = Promise.all(this.#sessions.map((session) => this.#send(session)));
  }

  /**
   * Kills Redis and brings it back. Checks that nothing was lost, reordered or written twice, in the log and at a
   * client, which stays connected; that no session was linked again; and that each session still has the same worker.
   * @param options.keepsSockets whether the outage is short enough for the connections to WhatsApp to stay.
   */
  async of(awayMs: number, { keepsSockets }: { keepsSockets: boolean }): Promise<void> {
    await this.#arrived(3);
    const { qrCodes } = await this.#logged();
    const owners = await this.#owners();
    const logins = this.#logins();

    await this.#cluster.redis.kill();
    await delay(awayMs);
    const sentBefore = Math.max(...this.#sent.values());
    await this.#cluster.redis.restart();
    const backAt = Date.now();
    await this.#arrived(sentBefore);
    const caughtUpMs = Date.now() - backAt;
    await this.#arrived(sentBefore + 5);
    this.#abort.abort();
    await this.#sending;
    await this.#arrived(undefined);

    const relogins = this.#logins().map((count, index) => count - (logins[index] ?? 0));
    const logged = await this.#logged();
    const sent = [...this.#sent.values()].reduce((sum, count) => sum + count, 0);
    report('redis-is-lost', {
      ...{ awayMs, sessions: this.#sessions.length, sent, caughtUpMs, relogins },
      liveAgainMs: (await this.#listener.liveSince(backAt)) - backAt,
    });

    for (const [id, numbers] of logged.numbers) {
      expect(numbers, `the messages of ${id}`).toEqual(numbers.map((_, index) => index + 1));
    }
    await this.#listener.expectEverythingOf(this.#cluster, this.#tenant);
    expect(this.#listener.disconnects, 'connections that the client lost').toEqual([]);
    expect(this.#listener.duplicates, 'events that came again').toBe(0);
    expect(logged.qrCodes, 'QR codes shown').toBe(qrCodes);
    expect(linkedAnew(this.#sessions), 'sessions that were linked again').toEqual([]);
    expect(await this.#owners(), 'the worker of each session').toEqual(owners);
    if (keepsSockets) expect(Math.max(...relogins), 'logins since').toBe(0);
    const { client } = this.#tenant;
    for (const { id, sender } of this.#sessions) {
      await waitForStatus(client, id, 'open', 60_000);
      const { messageId } = await client.call('send-message', {
        params: { id },
        body: { to: sender.number, text: 'still here' },
      });
      await sender.waitForMessage((message) => message.id === messageId);
    }
  }

  async end(): Promise<void> {
    this.#abort.abort();
    this.#listener.close();
    await this.#sending;
    await this.#cluster.stop();
  }

  async #send({ id, phone, sender }: WrittenTo): Promise<void> {
    const { signal } = this.#abort;
    for (let number = 1; !signal.aborted; number += 1) {
      await sender.send(phone, { text: `number ${number}` });
      this.#sent.set(id, number);
      await delay(EVERY_MS);
    }
  }

  /** Resolves when the log has `count` messages of every session. Default: all that were sent. */
  async #arrived(count: number | undefined): Promise<void> {
    const look = async () => {
      const { numbers } = await this.#logged();
      const missing = this.#sessions.flatMap(({ id }) => {
        const lacks = (count ?? this.#sent.get(id) ?? 0) - new Set(numbers.get(id)).size;
        return lacks > 0 ? [`${id} lacks ${lacks}: ${numbers.get(id)?.join(' ')}`] : [];
      });
      if (missing.length > 0) throw new Error(missing.join('; '));
      return true;
    };
    const what = `${count ?? 'all'} messages of every session in the log`;
    await waitFor(look, { what, timeoutMs: ARRIVAL_MS, intervalMs: 200 });
  }

  async #logged(): Promise<Logged> {
    const events = await readEventLog(this.#cluster, this.#tenant.id);
    const numbers = new Map<string, number[]>(this.#sessions.map(({ id }) => [id, []]));
    for (const { event, sessionId, body } of events) {
      if (event !== 'messages.upsert') continue;
      const { messages } = payloadSchemas[event].parse(JSON.parse(body.toString()));
      const found = messages.flatMap(
        ({ message }) => NUMBERED.exec(String(message?.conversation))?.[1] ?? [],
      );
      numbers.get(sessionId)?.push(...found.map(Number));
    }
    return { numbers, qrCodes: events.filter(({ event }) => event === 'auth.qr').length };
  }

  async #owners(): Promise<(string | undefined)[]> {
    const listed = await listSessions(this.#tenant.client);
    return this.#sessions.map(({ id }) => listed.find((session) => session.id === id)?.worker);
  }

  #logins(): number[] {
    return this.#sessions.map(({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord.logins ?? 0);
  }
}
