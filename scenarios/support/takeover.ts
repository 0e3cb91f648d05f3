import {
  type AppProcess,
  type Cluster,
  type LogLine,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { expect } from 'vitest';
import { type LinkedSession, linkedAnew, linkSessions } from './linked-sessions.js';
import { report } from './report.js';
import { Traffic } from './traffic.js';

/** How long two connections of an account may be open at once: a login, and the end of the other that it causes. */
const LONGEST_OVERLAP_MS = 5_000;

export interface TakeoverOptions {
  readonly scenario: string;
  readonly sessions: number;
  /** Milliseconds between two messages to one session. */
  readonly everyMs?: number;
  readonly cluster?: Parameters<typeof startCluster>[0];
  /** Starts the worker that will be lost; the cluster's ordinary one unless told. */
  readonly startDoomed?: (cluster: Cluster) => Promise<AppProcess>;
}

/**
 * A worker with open sessions under traffic, and another one that is free. The first is lost in some way, and what
 * must hold of every such loss is checked: all sessions come back by themselves, no message is lost or comes out of
 * order, no account has two connections for longer than a takeover.
 */
export class Takeover {
  readonly cluster: Cluster;
  readonly sessions: readonly LinkedSession[];
  readonly traffic: Traffic;
  readonly tenant: TestTenant;
  readonly #scenario: string;
  readonly #doomed: AppProcess;
  #lostAt = 0;
  #loginsBefore: readonly number[] = [];

  static async prepare(options: TakeoverOptions): Promise<Takeover> {
    const { scenario, sessions: count, everyMs = 1_000, startDoomed = addWorker } = options;
    const environment = { PLACEMENTS_PER_SECOND: '100', CONNECTS_PER_SECOND: '100' };
    const cluster = await startCluster({ workers: 0, environment, ...options.cluster });
    try {
      const doomed = await startDoomed(cluster);
      const tenant = await cluster.addTenant();
      const sessions = await linkSessions(cluster, tenant, count);
      // Of another release: while releases differ, no session moves for the sake of even loads.
      await cluster.addWorker({ RELEASE: '0.0.1' });
      const traffic = await Traffic.start({ cluster, tenant, sessions, everyMs });
      await traffic.flows(1);
      return new Takeover({ scenario, cluster, tenant, sessions, traffic, doomed });
    } catch (error) {
      await cluster.stop().catch(() => {});
      throw error;
    }
  }

  private constructor(parts: {
    scenario: string;
    cluster: Cluster;
    tenant: TestTenant;
    sessions: readonly LinkedSession[];
    traffic: Traffic;
    doomed: AppProcess;
  }) {
    this.cluster = parts.cluster;
    this.tenant = parts.tenant;
    this.sessions = parts.sessions;
    this.traffic = parts.traffic;
    this.#scenario = parts.scenario;
    this.#doomed = parts.doomed;
  }

  /** The worker that has the sessions. */
  get doomed(): AppProcess {
    return this.#doomed;
  }

  /** Lets the worker be lost. */
  async of(lose: (worker: AppProcess) => unknown): Promise<void> {
    this.#lostAt = Date.now();
    this.#loginsBefore = this.#logins();
    await lose(this.#doomed);
  }

  /** Lets another worker be lost, after the sessions have come back from the loss of the first. */
  async again(lose: () => unknown): Promise<void> {
    this.#lostAt = Date.now();
    await lose();
  }

  /** Resolves when every session is open again, and prints how long that took. */
  async reopened({
    firstWithinMs,
    allWithinMs,
  }: {
    firstWithinMs: number;
    allWithinMs: number;
  }): Promise<void> {
    await this.#reopened(1, firstWithinMs);
    const times = await this.#reopened(this.sessions.length, allWithinMs);
    const [first = Number.NaN] = times;
    report(this.#scenario, {
      sessions: this.sessions.length,
      firstMs: first,
      allMs: Math.max(...times),
      reopenedMs: times,
    });
  }

  /** Resolves when the worker, which was not ended, says that it has lost its sessions, and none is open twice. */
  async stepsDown(says: (line: LogLine) => boolean): Promise<void> {
    await this.doomed.waitForLog(says, 'that its sessions are lost', 60_000);
    await this.oneConnectionEach();
  }

  /** Resolves when no session is open twice. */
  async oneConnectionEach(): Promise<void> {
    await waitFor(() => this.cluster.simulator.connectionCount === this.sessions.length, {
      what: 'one connection a session',
      timeoutMs: 30_000,
    });
  }

  /**
   * Stops the traffic and checks that nothing was lost, that the sessions can write, that nobody was linked anew, and
   * that no account had two masters.
   * @param limits.conflictsPerSession how often a login may have found the account's earlier connection open.
   * @param limits.loginsPerSession how often a device may have logged in since the loss; not checked if left out.
   */
  async conclude(limits: { conflictsPerSession: number; loginsPerSession?: number }): Promise<void> {
    const { conflictsPerSession, loginsPerSession = Number.POSITIVE_INFINITY } = limits;
    await this.traffic.flows(2);
    await this.#canWrite();
    const { sent, duplicates, gaps } = await this.traffic.finish();
    const records = this.sessions.map(({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord);
    const overlapMs = records.map((record) => Math.round(record?.longestOverlapMs ?? Number.NaN));
    const logins = this.#logins().map((count, index) => count - (this.#loginsBefore[index] ?? Number.NaN));
    report(this.#scenario, { sent, duplicates, gapMs: gaps, overlapMs, logins });

    expect(linkedAnew(this.sessions), 'sessions that were linked anew').toEqual([]);
    expect(this.traffic.events.payloads('auth.qr')).toEqual([]);
    expect(Math.max(...records.map((record) => record?.conflicts ?? Number.NaN))).toBeLessThanOrEqual(
      conflictsPerSession,
    );
    expect(Math.max(...overlapMs)).toBeLessThanOrEqual(LONGEST_OVERLAP_MS);
    expect(Math.max(...logins), 'logins of one device').toBeLessThanOrEqual(loginsPerSession);
  }

  /** Checks that the logs say of each session which worker had it, and which one took it over from that: a line each. */
  isInLogs(): void {
    const ids = this.sessions.map(({ id }) => id);
    const linesOf = (logs: readonly LogLine[], msg: string) => logs.filter((line) => line.msg === msg);
    const byId = (lines: readonly LogLine[]) => lines.map(({ sessionId }) => sessionId).sort();
    const [started] = linesOf(this.#doomed.logs, 'the worker runs');
    const claims = linesOf(this.#doomed.logs, 'a session was claimed');
    const takeovers = this.cluster.workers.flatMap(({ logs }) => linesOf(logs, 'a session was taken over'));
    expect(byId(claims), 'the claims in the logs').toEqual(ids);
    expect(byId(takeovers), 'the takeovers in the logs').toEqual(ids);
    for (const line of takeovers) {
      expect(line).toMatchObject({ tenantId: this.tenant.id, previousWorkerId: started?.workerId });
      expect(line.workerId).toMatch(/^wrk_/);
    }
  }

  async end(): Promise<void> {
    await this.traffic.close();
    await this.cluster.stop();
  }

  /** How often the device of each session has logged in. */
  #logins(): number[] {
    return this.sessions.map(
      ({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord.logins ?? Number.NaN,
    );
  }

  async #canWrite(): Promise<void> {
    const reader = this.cluster.simulator.addPhone({ name: 'Reader' });
    for (const { id } of this.sessions.slice(0, 3)) {
      const { messageId } = await this.tenant.client.sendText(id, reader.number, `from ${id}`);
      const received = await reader.waitForMessage((message) => message.id === messageId);
      expect(received.text).toBe(`from ${id}`);
    }
  }

  /** Milliseconds from the loss to each session's next `open`, once there are as many. */
  #reopened(count: number, timeoutMs: number): Promise<number[]> {
    const look = () => {
      const times = this.#openTimes();
      return times.length >= count && times;
    };
    return waitFor(look, { what: `${count} sessions open again`, timeoutMs, intervalMs: 50 });
  }

  #openTimes(): number[] {
    const opened = new Map<string, number>();
    const all = this.traffic.events.payloads('connection.update');
    for (const { sessionId, connection, timestamp } of all) {
      const at = Date.parse(timestamp);
      if (connection === 'open' && at > this.#lostAt && !opened.has(sessionId)) opened.set(sessionId, at);
    }
    return [...opened.values()].map((at) => at - this.#lostAt).sort((a, b) => a - b);
  }
}

function addWorker(cluster: Cluster): Promise<AppProcess> {
  return cluster.addWorker();
}
