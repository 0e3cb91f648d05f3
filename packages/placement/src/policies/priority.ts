import type { PlacementReason } from '../placement-request.js';

/** The weight of a reason: a person waits for a new session, but not for a rebalanced one. */
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
 * The priority of a request; lower numbers are served first. It is the weight of the reason times the request's rank,
 * its place among the requests of the same tenant for the same reason. All first ones come before all second ones, so
 * tenants take turns. A tenant with a single session waits no longer than for one turn of every other tenant, however
 * many requests those have. Between reasons the turns are weighted: three new sessions to one of a crashed worker.
 */
export function priorityOf(reason: PlacementReason, rank: number): number {
  return Math.min(LAST, WEIGHTS[reason] * rank);
}
