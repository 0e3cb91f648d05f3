import { type EventName, type EventPosition, isEventName } from '@wafleet/contract';

/** An event of the log. */
export interface LoggedEvent {
  readonly event: EventName;
  readonly sessionId: string;
  readonly position: EventPosition;
  /**
   * The payload as clients get it: the text of a JSON object with `eventId`, in UTF-8. It shares its memory with what
   * else Redis sent at the same time.
   */
  readonly body: Buffer;
}

const SPACE = 0x20;

/**
 * Reads an event as the log and the channel hold it, `<log epoch>-<seq> <event name> <session id> <body>`, without
 * looking into the body. Undefined when it is none, or one that this release does not know.
 */
export function parseLoggedEvent(message: Buffer): LoggedEvent | undefined {
  let end = -1;
  for (let spaces = 0; spaces < 3; spaces += 1) {
    end = message.indexOf(SPACE, end + 1);
    if (end < 0) return undefined;
  }
  const header = message.toString('latin1', 0, end);
  const first = header.indexOf(' ');
  const second = header.indexOf(' ', first + 1);
  const event = header.slice(first + 1, second);
  const position = parsePosition(header.slice(0, first));
  if (position === undefined || !isEventName(event)) return undefined;
  return { event, sessionId: header.slice(second + 1), position, body: message.subarray(end + 1) };
}

/** Reads `<log epoch>-<seq>` as Redis has it; undefined when it is none. */
export function parsePosition(text: string): EventPosition | undefined {
  const dash = text.indexOf('-');
  return dash < 0 ? undefined : { epoch: text.slice(0, dash), seq: Number(text.slice(dash + 1)) };
}
