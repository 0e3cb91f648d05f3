import { createLogger } from '@wafleet/runtime';
import { connectRedis, type RedisConnection, type RedisRole } from '@wafleet/store';

export const logger = createLogger({ app: 'placement-test', level: 'silent' });

export function connect(url: string, role: RedisRole): RedisConnection {
  return connectRedis({ url, role, name: `placement-test-${role}`, logger });
}
