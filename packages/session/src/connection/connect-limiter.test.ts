import { createLogger } from '@wafleet/runtime';
import { ClientVersions, ConnectRate, connectRedis, type RedisConnection } from '@wafleet/store';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectLimiter, type PermitRequest } from './connect-limiter.js';
import type { ConnectPermit } from './connect-permit.js';

const logger = createLogger({ app: 'test', level: 'silent' });

let server: TestRedis;
let redis: RedisConnection;
let leaving: AbortController;

beforeAll(async () => {
  server = await startRedis();
  redis = connectRedis({ url: server.url, role: 'command', name: 'test', logger });
});

beforeEach(async () => {
  leaving = new AbortController();
  await redis.flushall();
});

afterEach(() => leaving.abort());

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

function gateOf(perSecond: number, pauseMs = 50): ConnectLimiter {
  const pause = { first: pauseMs, longest: 4 * pauseMs };
  return new ConnectLimiter({
    rate: new ConnectRate(redis, { perSecond, clientVersion: '2.3000.1', pauseMs: pause }),
    logger,
  });
}

/** Sessions that ask a limiter for a permit, by name. `held`: those that learned that the wait may be long. */
class Asking {
  readonly permits = new Map<string, ConnectPermit>();
  readonly held = new Set<string>();
  readonly #connectLimiter: ConnectLimiter;

  constructor(connectLimiter: ConnectLimiter) {
    this.#connectLimiter = connectLimiter;
  }

  ask(name: string, options: Partial<PermitRequest> & { tenantId?: string } = {}): void {
    const { tenantId = 'acme', isUrgent = false, linking, signal = leaving.signal } = options;
    const onHeld = () => this.held.add(name);
    const session = { tenantId, sessionId: name };
    void this.#connectLimiter.permit({ session, isUrgent, linking, signal, onHeld }).then((permit) => {
      if (permit !== undefined) this.permits.set(name, permit);
    });
  }

  /** How many wait since WhatsApp refuses their version. */
  get waiting(): number {
    return this.#connectLimiter.heldSessions;
  }

  passed(count: number): Promise<boolean> {
    return waitFor(() => this.permits.size >= count, { what: `${count} sessions may connect` });
  }

  get names(): string[] {
    return [...this.permits.keys()];
  }
}

describe('the permit to connect', () => {
  it('is granted at the configured rate, for all limiters together, and to every session in the end', async () => {
    const perSecond = 20;
    const all = [new Asking(gateOf(perSecond)), new Asking(gateOf(perSecond))];
    const startedAt = performance.now();
    for (const asking of all) for (let n = 0; n < 25; n += 1) asking.ask(`s${n}`);
    await Promise.all(all.map((asking) => asking.passed(25)));
    const seconds = (performance.now() - startedAt) / 1_000;
    // 15 of the bucket's 20 are for these, and 20 come each second.
    expect(50).toBeLessThanOrEqual(perSecond * (1 + seconds) + 1);
  });

  it('is granted first to sessions that a person waits for, and to tenants in turn', async () => {
    const asking = new Asking(gateOf(4));
    for (let n = 0; n < 6; n += 1) asking.ask(`acme ${n}`);
    asking.ask('globex 0', { tenantId: 'globex' });
    asking.ask('person', { isUrgent: true });
    await asking.passed(4);
    expect(asking.names.slice(0, 3)).toEqual(['person', 'acme 0', 'globex 0']);
    await asking.passed(8);
  });

  it('is not granted to a session that ended meanwhile', async () => {
    const asking = new Asking(gateOf(1));
    const gone = new AbortController();
    asking.ask('first');
    await asking.passed(1);
    asking.ask('gone', { signal: gone.signal });
    asking.ask('next');
    gone.abort();
    await asking.passed(2);
    expect(asking.names).toEqual(['first', 'next']);
    asking.ask('gone already', { signal: gone.signal });
    expect(asking.names).toEqual(['first', 'next']);
  });

  it('is not granted while Redis is unreachable, and is granted when Redis is back', async () => {
    const asking = new Asking(gateOf(20));
    await server.kill();
    asking.ask('session');
    await waitFor(() => redis.status !== 'ready', { what: 'the outage is noticed' });
    expect(asking.names).toEqual([]);
    await server.restart();
    await asking.passed(1);
  });
});

describe('a client version that WhatsApp refuses', () => {
  it('holds up every session of all limiters and notifies them, except for one probe at a time', async () => {
    const [first, one, other] = [new Asking(gateOf(20)), new Asking(gateOf(20)), new Asking(gateOf(20))];
    first.ask('first');
    await first.passed(1);
    first.permits.get('first')?.ended(405);
    await waitFor(
      async () =>
        Object.values(await redis.hgetall('wf:{connects}:versions'))
          .join()
          .includes('refused'),
      { what: 'the breaker opens' },
    );
    for (const asking of [one, other]) for (const name of ['a', 'b']) asking.ask(name);

    const probes = () => [...one.permits.values(), ...other.permits.values()];
    await waitFor(() => probes().length > 0, { what: 'a probe' });
    await waitFor(() => one.held.size + other.held.size >= 3, {
      what: 'the others learn that the wait may be long',
    });
    await waitFor(() => one.waiting + other.waiting === 3, { what: 'they are counted' });
    expect(probes()).toHaveLength(1);
    for (const permit of probes()) permit.ended(405);
    await waitFor(() => probes().length === 2, { what: 'the next probe' });
    for (const permit of probes()) permit.accepted();
    await waitFor(() => probes().length === 4, { what: 'everybody connects again' });
    expect(one.waiting + other.waiting).toBe(0);
  });

  it('is probed by tenants in turn, however many sessions of one wait', async () => {
    const asking = new Asking(gateOf(20));
    asking.ask('first');
    await asking.passed(1);
    asking.permits.get('first')?.ended(405);
    for (let n = 0; n < 30; n += 1) asking.ask(`acme ${n}`);
    for (const tenantId of ['globex', 'initech']) asking.ask(tenantId, { tenantId });
    for (let probes = 1; probes <= 3; probes += 1) {
      await asking.passed(1 + probes);
      asking.permits.get(asking.names[probes] ?? '')?.ended(405);
    }
    expect(asking.names.slice(1, 4)).toEqual(['acme 0', 'globex', 'initech']);
  });

  it.each([
    [405, 2],
    [409, 2],
    [418, 2],
    [428, 1],
  ])('is refused again by a probe that ends with %i: refusals are %i', async (statusCode, refusals) => {
    const limiter = gateOf(20);
    const asking = new Asking(limiter);
    asking.ask('first');
    await asking.passed(1);
    asking.permits.get('first')?.ended(405);
    asking.ask('second');
    await asking.passed(2);
    asking.permits.get('second')?.ended(statusCode);
    expect(limiter.refusals).toBe(refusals);
  });

  it('lets a session that is logged in, and no code, prove another version', async () => {
    const limiter = gateOf(20);
    const asking = new Asking(limiter);
    const versions = new ClientVersions(redis);
    asking.ask('first');
    await asking.passed(1);
    await versions.noteCheck({ version: '2.3000.2' });
    asking.permits.get('first')?.ended(405);
    const linking = { failedWith: undefined };
    asking.ask('new', { isUrgent: true, linking });
    await asking.passed(2);
    expect(asking.permits.get('new')?.version).toBe('2.3000.2');
    asking.permits.get('new')?.accepted();
    // Others are linked with it meanwhile, and one that was linked before makes the next probe.
    asking.ask('next', { isUrgent: true, linking });
    await asking.passed(3);
    expect(asking.permits.get('next')?.version).toBe('2.3000.2');
    for (const name of ['linked', 'other']) asking.ask(name);
    await asking.passed(4);
    expect(asking.held.size).toBeGreaterThan(0);
    asking.permits.get(asking.names[3] ?? '')?.opened();
    await asking.passed(5);
    expect((await versions.view()).current).toBe('2.3000.2');
  });

  it('does not hold up other sessions after another failure', async () => {
    const asking = new Asking(gateOf(20));
    asking.ask('first');
    await asking.passed(1);
    asking.permits.get('first')?.ended(503);
    asking.ask('second');
    await asking.passed(2);
    expect(asking.held.size).toBe(0);
  });
});
