import { DEFAULT_TENANT_LIMITS } from '@wafleet/contract';
import { TenantLimitTable, TenantRates } from '@wafleet/store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCluster } from '../testing/test-cluster.js';
import { chargeJobMessage } from './job-share.js';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start();
});
afterAll(() => cluster.stop());

it('jobs take half of what a tenant may do, and leave the other half to its calls', async () => {
  const { tenantId } = await cluster.createTenant();
  const limits = new TenantLimitTable(cluster.connection, { ...DEFAULT_TENANT_LIMITS, restUnits: 1_000 });
  const rates = new TenantRates(cluster.connection, limits);
  let messages = 0;
  let refused: unknown;
  while (refused === undefined) {
    await chargeJobMessage(rates, tenantId).then(
      () => {
        messages += 1;
      },
      (error: unknown) => {
        refused = error;
      },
    );
  }
  // Some come back while the others are taken.
  expect(messages).toBeGreaterThanOrEqual(100);
  expect(messages).toBeLessThan(200);
  expect(refused).toMatchObject({
    code: 'RATE_LIMITED',
    details: { resource: 'restUnits', limit: 1_000, retryAfterMs: expect.any(Number) },
  });
  const { details } = refused as { details: { retryAfterMs: number } };
  expect(details.retryAfterMs).toBeLessThanOrEqual(100);
  await rates.require(tenantId, { limit: 'restUnits' }, { cost: 450 });
});
