interface CloseKind {
  /** The WebSocket close code (RFC 6455, private use): up to 4499 the client may connect again, from 4500 on not. */
  readonly code: number;
  /** Whether a client should connect again without changing anything. */
  readonly reconnect: boolean;
  /** What it means and what to do, for docs/errors.md. */
  readonly meaning: string;
}

/**
 * Why the service ends a connection that has worked. The name is the reason of the WebSocket's close frame;
 * docs/errors.md mirrors the table, a test keeps them the same.
 */
export const CLOSE_REASONS = {
  SLOW_CLIENT: {
    code: 4008,
    reconnect: true,
    meaning:
      'The client reads more slowly than its events come, and too much is waiting for it or for the clients of its tenant together; or it reads nothing. Connect again, and subscribe to less or read faster.',
  },
  TOO_MANY_FRAMES: {
    code: 4009,
    reconnect: true,
    meaning: 'The client sends more frames than it may. Connect again, and send fewer.',
  },
  TOO_MANY_CONNECTIONS: {
    code: 4010,
    reconnect: true,
    meaning:
      'A client connects again while its API key, or its tenant, has as many connections as it may have. Try again later.',
  },
  TOO_MANY_HANDSHAKES: {
    code: 4011,
    reconnect: true,
    meaning:
      'A client connects again while too many connections are made, from its address or with its API key. Try again later.',
  },
  KEY_REVOKED: {
    code: 4501,
    reconnect: false,
    meaning: 'The API key was revoked. Ask for a new one.',
  },
  KEY_EXPIRED: {
    code: 4502,
    reconnect: false,
    meaning: 'The API key was valid until now. Ask for a new one.',
  },
} as const satisfies Record<string, CloseKind>;

export type CloseReason = keyof typeof CLOSE_REASONS;

/** Sent to a client right before its connection is ended, because some clients cannot see the close frame. */
export const CONNECTION_CLOSING_EVENT = 'connection.closing';

/** The payload of `connection.closing`. */
export interface ConnectionClosing {
  readonly code: CloseReason;
  readonly message: string;
}

export function describeClosing(reason: CloseReason): ConnectionClosing {
  return { code: reason, message: CLOSE_REASONS[reason].meaning };
}
