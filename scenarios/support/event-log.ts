import { createLogger } from '@wafleet/runtime';
import { connectRedis, EventLog, type LoggedEvent } from '@wafleet/store';
import type { Cluster } from '@wafleet/testkit';

const PAGE = 1_000;

/** All events of a tenant that are in the log, oldest first: the truth, whatever a client got to see of it. */
export async function readEventLog(cluster: Cluster, tenantId: string): Promise<LoggedEvent[]> {
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const redis = connectRedis({ url: cluster.redis.url, role: 'command', name: 'scenario', logger });
  try {
    const log = new EventLog(redis, { maxLength: PAGE });
    const events: LoggedEvent[] = [];
    for (;;) {
      const page = await log.read(tenantId, { after: events.at(-1)?.position, count: PAGE });
      events.push(...page);
      if (page.length < PAGE) return events;
    }
  } finally {
    redis.disconnect();
  }
}
