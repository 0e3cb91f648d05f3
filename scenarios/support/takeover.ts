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

/** How long two connections of an account may be open at once: a login takes time to close the other connection. */
const LONGEST_OVERLAP_MS = 5_000;

export interface TakeoverOptions {
  readonly scenario: string;
  readonly sessions: number;
  /** Milliseconds between two messages to one session. */
  readonly everyMs?: number;
  readonly cluster?: Parameters<typeof startCluster>[0];
  /** Starts the worker that will be lost. Default: an ordinary worker of the cluster. */
  readonly startDoomed?: (cluster: Cluster) => Promise<AppProcess>;
}

/**
 * A worker with open sessions under traffic, and another one that is free. The first one is lost in some way. Checks
 * what must hold for every loss: all sessions come back by themselves, no message is lost or arrives out of order, and
 * no account has two connections for longer than a takeover.
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
      // The second worker is of another release, because sessions are not rebalanced while releases differ.
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

  /** The worker that owns the sessions. */
  get doomed(): AppProcess {
    return this.#doomed;
  }

  /** Loses the worker. */
  async of(lose: (worker: AppProcess) => unknown): Promise<void> {
    this.#lostAt = Date.now();
    this.#loginsBefore = this.#logins();
    await lose(this.#doomed);
  }

  /** Loses another worker, after the sessions have come back from the loss of the first one. */
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

  /** Resolves when the worker, which still runs, logs that it lost its sessions, and no session is open twice. */
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
   * Stops the traffic. Checks that nothing was lost, that the sessions can write, that no session was linked again, and
   * that no account had two owners.
   * @param limits.conflictsPerSession how often a login may find the account's earlier connection open.
   * @param limits.loginsPerSession how often a device may log in after the loss. Default: not checked.
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

    expect(linkedAnew(this.sessions), 'sessions that were linked again').toEqual([]);
    expect(this.traffic.events.payloads('auth.qr')).toEqual([]);
    expect(Math.max(...records.map((record) => record?.conflicts ?? Number.NaN))).toBeLessThanOrEqual(
      conflictsPerSession,
    );
    expect(Math.max(...overlapMs)).toBeLessThanOrEqual(LONGEST_OVERLAP_MS);
    expect(Math.max(...logins), 'logins of one device').toBeLessThanOrEqual(loginsPerSession);
  }

  /** Checks that the logs have two lines per session: its claim by the lost worker, and its takeover by another one. */
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

  /** The number of logins of each session's device. */
  #logins(): number[] {
    return this.sessions.map(
      ({ phone, deviceId }) => phone.devices.get(deviceId)?.loginRecord.logins ?? Number.NaN,
    );
  }

  async #canWrite(): Promise<void> {
    const reader = this.cluster.simulator.addPhone({ name: 'Reader' });
    for (const { id } of this.sessions.slice(0, 3)) {
      const { messageId } = await this.tenant.client.call('send-message', {
        params: { id },
        body: { to: reader.number, text: `from ${id}` },
      });
      const received = await reader.waitForMessage((message) => message.id === messageId);
      expect(received.text).toBe(`from ${id}`);
    }
  }

  /** The time from the loss to each session's next `open`, ms. Resolves when `count` sessions are open again. */
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
