import { sessionIdSchema, tenantIdSchema } from '@wafleet/contract';
import type { SessionRef } from '@wafleet/store';

/**
 * Why a session needs a worker. `create`: it is new. `restart`: it has no worker and should have. `drain`: its
 * worker stops. `crash`: its worker is dead. `rebalance`: it would be better off elsewhere.
 */
export type PlacementReason = (typeof REASONS)[number];
const REASONS = ['create', 'restart', 'drain', 'crash', 'rebalance'] as const;

/**
 * A request to place a session. It states why, not how: the placer that serves it reads the session's current state.
 */
export interface PlacementRequest extends SessionRef {
  readonly reason: PlacementReason;
  /** The owner that the session had when the request was made; a request about a later owner is void. */
  readonly expectPrevious?: string;
  /** Workers that must not get the session. */
  readonly avoid: readonly string[];
  /** The only worker that a session with a living owner may be moved to. Ignored if the owner is dead or missing. */
  readonly to?: string;
  /** The start of its job, counted from 1, at which it may take room that others wait for as well. */
  readonly turn?: number;
}

/** Returns undefined if the queued data names no session: another release, or another program, put it there. */
export function readRequest(data: object): PlacementRequest | undefined {
  const fields: Readonly<Record<string, unknown>> = { ...data };
  const tenantId = tenantIdSchema.safeParse(fields.tenantId).data;
  const sessionId = sessionIdSchema.safeParse(fields.sessionId).data;
  if (tenantId === undefined || sessionId === undefined) return undefined;
  const { expectPrevious, to, avoid, turn } = fields;
  return {
    tenantId,
    sessionId,
    // An unknown reason is of a later release. It is served like any session that should have a worker and has none.
    reason: REASONS.find((reason) => reason === fields.reason) ?? 'restart',
    avoid: Array.isArray(avoid) ? avoid.filter((worker) => typeof worker === 'string') : [],
    ...(typeof expectPrevious === 'string' ? { expectPrevious } : {}),
    ...(typeof to === 'string' ? { to } : {}),
    ...(typeof turn === 'number' ? { turn } : {}),
  };
}
