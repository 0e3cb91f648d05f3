import { WafleetClient } from '@wafleet/client';
import type { Logger } from '@wafleet/runtime';
import { ApiKeys, connectRedis } from '@wafleet/store';

/** The key in the example programs of the event contract. Only the demo accepts it, because it is public. */
export const EXAMPLE_KEY = 'your-api-key';

export interface DemoTenant {
  readonly apiKey: string;
}

/**
 * Creates a tenant with an API key, and makes the examples' key valid for it too. If Redis has the examples' key from
 * an earlier demo, that demo's tenant gets another key instead.
 */
export async function openDemoTenant(options: {
  edge: string;
  adminToken: string;
  redisUrl: string;
  logger: Logger;
}): Promise<DemoTenant> {
  const admin = new WafleetClient({ url: options.edge, key: options.adminToken });
  const redis = connectRedis({
    url: options.redisUrl,
    role: 'command',
    name: 'demo',
    logger: options.logger,
  });
  try {
    const apiKeys = new ApiKeys(redis);
    const earlier = await apiKeys.authenticate(EXAMPLE_KEY);
    const tenantId = earlier?.tenantId ?? (await admin.call('create-tenant', { body: { name: 'Demo' } })).id;
    const { key } = await admin.call('create-key', { body: { tenantId, name: 'npm start' } });
    await apiKeys.import(tenantId, { key: EXAMPLE_KEY, name: 'example programs' });
    return { apiKey: key };
  } finally {
    redis.disconnect();
  }
}
