import { errorBodySchema, usageSchema } from '@wafleet/contract';
import { listSessions, type TestTenant } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import type { AttackedCluster } from './attacked-cluster.js';

interface Init {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_BODY = { 'content-type': 'application/json' };

/** A tenant takes as much as it can of the resources that tenants share. */
export function attackQuotas(attacked: AttackedCluster): void {
  const call = (tenant: TestTenant, path: string, init: Init = {}) =>
    fetch(attacked.edge.url + path, {
      ...init,
      headers: { 'x-api-key': tenant.apiKey, ...(init.body ? JSON_BODY : {}), ...init.headers },
    });

  /** Makes a number of calls, 100 at a time. Resolves to the count of each status or error. */
  async function flood(
    tenant: TestTenant,
    count: number,
    path: string,
    initOf = (_turn: number): Init => ({}),
  ) {
    const outcomes: Record<string, number> = {};
    const waiting = Array.from({ length: count }).keys();
    const callOneByOne = async () => {
      for (const turn of waiting) {
        const answer = await call(tenant, path, initOf(turn));
        const body: unknown = await answer.json();
        const outcome = answer.ok ? 'served' : errorBodySchema.parse(body).error.code;
        if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: 100 }, callOneByOne));
    return outcomes;
  }

  test('is refused to a tenant that creates thousands of sessions, and its neighbour is served', async () => {
    const greedy = await attacked.cluster.addTenant('greedy with sessions');
    const flooding = flood(greedy, 3_000, '/api/sessions', () => ({ method: 'POST', body: '{}' }));
    await attacked.victimGetsMore();
    await attacked.victim.client.call('create-session', { body: { id: 'meanwhile' } });
    expect((await listSessions(attacked.victim.client)).map(({ id }) => id)).toContain('meanwhile');
    const outcomes = await flooding;
    expect(outcomes.served).toBe(250);
    expect(Object.keys(outcomes).sort()).toEqual(expect.arrayContaining(['TOO_MANY_SESSIONS', 'served']));
    const { resources } = usageSchema.parse(await (await call(attacked.victim, '/api/usage')).json());
    expect(resources.sessions.used).toBe(3);
    expect(await attacked.metric('wafleet_edge_limits_exceeded_total{limit="sessions"}')).toBeGreaterThan(0);
    await attacked.victim.client.call('remove-session', { params: { id: 'meanwhile' } });
  });

  test('is refused to a tenant that uses thousands of idempotency keys, and its neighbour is served', async () => {
    const greedy = await attacked.cluster.addTenant('greedy with keys');
    await greedy.client.call('create-session', { body: { id: 'own' } });
    const limits = { idempotencyKeys: 100, restUnits: 1_000_000, restUnitsPerKey: 1_000_000 };
    await attacked.cluster.admin.call('change-tenant-limits', { params: { id: greedy.id }, body: limits });
    const flooding = flood(greedy, 10_000, '/api/sessions/own/restart', (turn) => ({
      method: 'POST',
      headers: { 'idempotency-key': `${turn}-${'x'.repeat(240)}` },
    }));
    await attacked.victimGetsMore();
    const { client } = attacked.victim;
    const creation = { body: { id: 'meanwhile' }, idempotencyKey: 'a-key' };
    const made = await client.call('create-session', creation);
    expect(await client.call('create-session', creation)).toEqual(made);
    await client.call('remove-session', { params: { id: made.id } });
    const outcomes = await flooding;
    expect(outcomes).toMatchObject({ served: 100, TOO_MANY_IDEMPOTENCY_KEYS: expect.any(Number) });
    const { resources } = usageSchema.parse(await (await call(greedy, '/api/usage')).json());
    expect(resources.idempotencyKeys).toMatchObject({ used: 100, limit: 100 });
    expect(
      await attacked.metric('wafleet_edge_limits_exceeded_total{limit="idempotency_keys"}'),
    ).toBeGreaterThan(0);
    await attacked.expectAlive();
  });

  test('is refused to a tenant that makes thousands of calls, and its neighbour is served', async () => {
    const greedy = await attacked.cluster.addTenant('greedy with calls');
    await greedy.client.call('create-session', { body: { id: 'own' } });
    const flooding = flood(greedy, 6_000, '/api/sessions?limit=500');
    await attacked.victimGetsMore();
    const meanwhile = await call(attacked.victim, '/api/sessions/p1');
    expect(meanwhile.status).toBe(200);
    expect(meanwhile.headers.get('ratelimit')).toMatch(/^"tenant";r=\d+;t=\d+, "key";r=\d+;t=\d+$/);
    const outcomes = await flooding;
    expect(outcomes.RATE_LIMITED).toBeGreaterThan(0);
    expect(outcomes.served).toBeGreaterThanOrEqual(500);
    await attacked.expectAlive();
  });
}
