import {
  comparePositions,
  type EventName,
  type EventPosition,
  formatEventId,
  parseEventId,
} from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, EventLog, type LoggedEvent } from '@wafleet/store';
import type { Cluster } from '@wafleet/testkit';

const PAGE = 1_000;

/** An event of the log, without its payload. */
export interface Entry {
  readonly eventId: string;
  readonly event: EventName;
  readonly sessionId: string;
}

/** All events of a tenant in the log, oldest first. Clients are compared with these. */
export async function readEventLog(cluster: Cluster, tenantId: string): Promise<LoggedEvent[]> {
  const logger = createLogger({ app: 'scenario', level: 'silent' });
  const redis = connectRedis({ url: cluster.redis.url, role: 'command', name: 'scenario', logger });
  try {
    const log = new EventLog(redis);
    const events: LoggedEvent[] = [];
    let after: EventPosition | undefined;
    for (;;) {
      const page = await log.read(tenantId, { after, count: PAGE });
      events.push(...page.events);
      if (page.events.length === 0) return events;
      after = page.end;
    }
  } finally {
    redis.disconnect();
  }
}

/** The same without payloads. Begins after a given event. */
export async function readEntries(
  cluster: Cluster,
  tenantId: string,
  after: string | undefined = undefined,
): Promise<Entry[]> {
  const events = await readEventLog(cluster, tenantId);
  const entries = events.map(({ event, sessionId, position }) => {
    return { eventId: formatEventId(position), event, sessionId };
  });
  return after === undefined ? entries : entries.filter(({ eventId }) => isAfter(eventId, after));
}

/** Whether an event is later in its log than another one. */
export function isAfter(eventId: string, other: string): boolean {
  const position = parseEventId(eventId);
  const otherPosition = parseEventId(other);
  if (position === undefined || otherPosition === undefined)
    throw new Error(`no event id: ${eventId} ${other}`);
  return comparePositions(position, otherPosition) > 0;
}
