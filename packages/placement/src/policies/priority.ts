import type { PlacementReason } from '../queue.js';

/** The weight of a reason: somebody waits for a new session, nobody for a rebalanced one. */
const WEIGHTS: Readonly<Record<PlacementReason, number>> = {
  create: 1,
  restart: 1,
  drain: 2,
  crash: 3,
  rebalance: 10,
};

/** The largest that BullMQ takes. */
const LAST = 2_097_151;

/**
 * The priority of a request, of which lower numbers are served first: its reason's weight times its rank, which is its
 * place among the requests of the same tenant for the same reason. All first ones come before all second ones, so
 * tenants take turns, and one with a single session waits no longer than for a turn of every other, whatever those
 * have waiting. Between reasons it is a weighted turn: three new sessions to one of a crashed worker.
 */
export function priorityOf(reason: PlacementReason, rank: number): number {
  return Math.min(LAST, WEIGHTS[reason] * rank);
}
