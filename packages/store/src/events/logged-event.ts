import { type EventName, type EventPosition, isEventName } from '@wafleet/contract';

/** An event of the log. */
export interface LoggedEvent {
  readonly event: EventName;
  readonly sessionId: string;
  readonly position: EventPosition;
  /**
   * The payload that clients receive: the text of a JSON object with `eventId`, in UTF-8. It shares memory with other
   * data that Redis sent at the same time.
   */
  readonly body: Buffer;
}

/** More than the part before the body can take, since ids and names are bounded. */
const MAX_HEADER_BYTES = 256;

/**
 * Parses an event in the form of the log and the channel, `<log epoch>-<seq> <event name> <session id> <body>`, without
 * parsing the body. Returns undefined if it is not an event, or if this release does not know the event.
 */
export function parseLoggedEvent(message: Buffer): LoggedEvent | undefined {
  const begin = message.toString('latin1', 0, MAX_HEADER_BYTES);
  const first = begin.indexOf(' ');
  const second = begin.indexOf(' ', first + 1);
  const third = begin.indexOf(' ', second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const dash = begin.indexOf('-');
  const event = begin.slice(first + 1, second);
  if (dash < 0 || dash > first || !isEventName(event)) return undefined;
  return {
    event,
    sessionId: begin.slice(second + 1, third),
    // A slice of a string keeps the whole string in memory, and positions are kept.
    position: { epoch: message.toString('latin1', 0, dash), seq: Number(begin.slice(dash + 1, first)) },
    body: message.subarray(third + 1),
  };
}

/** Parses a position in Redis' form, `<log epoch>-<seq>`. Returns undefined if it is not a position. */
export function parsePosition(text: string): EventPosition | undefined {
  const dash = text.indexOf('-');
  return dash < 0 ? undefined : { epoch: text.slice(0, dash), seq: Number(text.slice(dash + 1)) };
}
