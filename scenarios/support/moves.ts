import type { EventCollector } from '@wafleet/testkit';

/**
 * The moves of each session so far, as clients see them. Each value is the time from the end of the session on one
 * worker until it was open on the next one, ms.
 */
export function movesOf(events: EventCollector): Map<string, number[]> {
  const moves = new Map<string, number[]>();
  const leftAt = new Map<string, number>();
  for (const { sessionId, status, timestamp } of events.payloads('connection.update')) {
    const at = Date.parse(timestamp);
    if (status === 'queued') leftAt.set(sessionId, leftAt.get(sessionId) ?? at);
    const left = leftAt.get(sessionId);
    if (status !== 'open' || left === undefined) continue;
    leftAt.delete(sessionId);
    moves.set(sessionId, [...(moves.get(sessionId) ?? []), at - left]);
  }
  return moves;
}

/** How often WhatsApp closed a connection because another one had logged in for the same device. */
export function conflictsIn(events: EventCollector): number {
  return events
    .payloads('connection.update')
    .filter(({ lastDisconnect }) => lastDisconnect?.statusCode === 440).length;
}
