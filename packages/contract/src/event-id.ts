/**
 * A position in a tenant's event log.
 * `epoch` names one life of the log: a log that was lost or reset starts a new one. `seq` counts from 1 within
 * it, without gaps. Source of the idea: Centrifugo's stream position {epoch, offset}.
 */
export interface EventPosition {
  readonly epoch: string;
  readonly seq: number;
}

const EVENT_ID = /^([0-9a-z]{1,32})-([1-9][0-9]{0,15})$/;

/** Prints a position as the opaque `eventId` of a payload. */
export function formatEventId(position: EventPosition): string {
  return `${position.epoch}-${position.seq}`;
}

/** Reads an `eventId`; undefined when the text is none. */
export function parseEventId(text: string): EventPosition | undefined {
  const match = EVENT_ID.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const seq = Number(match[2]);
  return Number.isSafeInteger(seq) ? { epoch: match[1], seq } : undefined;
}
