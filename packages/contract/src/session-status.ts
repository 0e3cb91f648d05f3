import { z } from 'zod';

/**
 * The states of a session.
 * `queued`: waits for a worker. `connecting`: a worker opens its socket. `awaiting_link`: shows a QR code or
 * waits for a pairing code. `open`: linked and connected. `reconnecting`: lost its connection and tries again.
 * `closed`: stopped, nothing tries. `logged_out`: unlinked on the phone; its keys are gone. `failed`: needs a
 * person; `reason` says why.
 */
export const SESSION_STATUSES = [
  'queued',
  'connecting',
  'awaiting_link',
  'open',
  'reconnecting',
  'closed',
  'logged_out',
  'failed',
] as const;

export const sessionStatusSchema = z.enum(SESSION_STATUSES);

export type SessionStatus = (typeof SESSION_STATUSES)[number];

const RESTING: ReadonlySet<SessionStatus> = new Set(['closed', 'logged_out', 'failed']);

/** Whether the session stays unconnected until a client asks for it. */
export function isResting(status: SessionStatus): boolean {
  return RESTING.has(status);
}

const CONNECTION_OF = {
  queued: 'close',
  connecting: 'connecting',
  awaiting_link: 'connecting',
  open: 'open',
  reconnecting: 'connecting',
  closed: 'close',
  logged_out: 'close',
  failed: 'close',
} as const satisfies Record<SessionStatus, string>;

/** The connection state that a session's status stands for: the field `connection` of `connection.update`. */
export function connectionOf(status: SessionStatus): 'connecting' | 'open' | 'close' {
  return CONNECTION_OF[status];
}
