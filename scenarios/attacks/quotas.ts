import { errorBodySchema, usageSchema } from '@wafleet/contract';
import { listSessions, type TestTenant } from '@wafleet/testkit';
import { expect, test } from 'vitest';
import type { AttackedCluster } from './attacked-cluster.js';

/** A tenant takes as much as it can of the resources that tenants share. */
export function attackQuotas(attacked: AttackedCluster): void {
  const call = (tenant: TestTenant, path: string, init: RequestInit = {}) =>
    fetch(attacked.edge.url + path, {
      ...init,
      headers: { 'x-api-key': tenant.apiKey, 'content-type': 'application/json' },
    });

  /** Makes a number of calls, 100 at a time. Resolves to the count of each status or error. */
  async function flood(tenant: TestTenant, count: number, path: string, init: RequestInit = {}) {
    const outcomes: Record<string, number> = {};
    const waiting = Array.from({ length: count }).values();
    const callOneByOne = async () => {
      for (const _ of waiting) {
        const answer = await call(tenant, path, init);
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
    const flooding = flood(greedy, 3_000, '/api/sessions', { method: 'POST', body: '{}' });
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
