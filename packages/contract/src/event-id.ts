/**
 * A position in a tenant's event log.
 * `epoch` names one life of the log: a log that may have lost its end starts a new one, so no position is ever given
 * to two events. `seq` counts from 1 within it, without gaps; 0 is the position before the first event, and
 * `{ epoch: '0', seq: 0 }` that of a log without events. Source of the idea: Centrifugo's stream position
 * {epoch, offset}.
 */
export interface EventPosition {
  readonly epoch: string;
  readonly seq: number;
}

const EVENT_ID = /^([0-9a-z]{1,32})-(0|[1-9][0-9]{0,15})(?:~[0-9a-z]{1,16})?$/;

/** Prints a position as the opaque `eventId` of a payload. */
export function formatEventId(position: EventPosition): string {
  return `${position.epoch}-${position.seq}`;
}

/**
 * Reads the position of an `eventId`. Returns undefined if the text is not an `eventId`. A suffix `~<1 to 16 of 0-9
 * a-z>` is ignored: it distinguishes events that show the state at a position and are not in a log,
 * `<epoch>-<seq>~<n>`.
 */
export function parseEventId(text: string): EventPosition | undefined {
  const match = EVENT_ID.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const seq = Number(match[2]);
  return Number.isSafeInteger(seq) ? { epoch: match[1], seq } : undefined;
}

/** Whether an `eventId` has the suffix of an event that is not in a log. */
export function isSnapshotId(eventId: string): boolean {
  return eventId.includes('~');
}

/**
 * Negative when `a` comes before `b` in a log, positive when after. Epochs are those that logs give: ascending numbers,
 * printed in decimal.
 */
export function comparePositions(a: EventPosition, b: EventPosition): number {
  return Number(a.epoch) - Number(b.epoch) || a.seq - b.seq;
}
