import { z } from 'zod';

/** The requests of the parent to the load generator and the publisher, and their answers. */

const contenderName = z.enum(['product', 'floor', 'peer']);
export type ContenderName = z.infer<typeof contenderName>;

export const audience = z.object({ tenantId: z.string(), apiKey: z.string() });
/** A tenant, and the API key of its clients. */
export type Audience = z.infer<typeof audience>;

export const connectRequest = z.object({
  port: z.number(),
  protocol: z.enum(['socket.io', 'plain']),
  /** One for each client. */
  clients: z.array(z.record(z.string(), z.string())),
  events: z.array(z.string()),
});

export const expectRequest = z.object({
  /** Total of deliveries to all clients. */
  deliveries: z.number(),
  /** Whether the latency of each event is recorded. */
  timed: z.boolean(),
});

export const arrivedRequest = z.object({ stallMs: z.number() });

export const tally = z.object({
  received: z.number(),
  /** The lowest and the highest number of deliveries to one client. */
  fewest: z.number(),
  most: z.number(),
  /** The latencies of timed deliveries, ms. Empty if they were not timed. */
  latencies: z.object({ p50: z.number(), p99: z.number(), count: z.number() }),
});
export type Tally = z.infer<typeof tally>;

export const resumeRequest = z.object({
  port: z.number(),
  apiKey: z.string(),
  events: z.array(z.string()),
  since: z.string(),
  /** The number of the first expected event; how many events were missed; how many arrive in total. */
  first: z.number(),
  missed: z.number(),
  count: z.number(),
});

export const resumeReply = z.object({
  recovered: z.boolean(),
  /** Events that did not follow the one before by exactly one. */
  misplaced: z.number(),
  received: z.number(),
  /** Time from connecting until all missed events had arrived. */
  missedMs: z.number(),
});

export const prepareRequest = z.object({ tenants: z.number() });
export const prepareReply = z.array(audience);

export const publishRequest = z.object({
  contender: contenderName,
  /** They take turns. */
  tenants: z.array(z.string()),
  events: z.number(),
  /** Default: as fast as Redis accepts them. */
  perSecond: z.number().optional(),
  /** Whether the floor stores what it publishes, as the product does: in one stream per tenant. */
  kept: z.boolean().default(false),
});

export const publishReply = z.object({
  elapsedMs: z.number(),
  /** How late the last event was, ms. */
  behindMs: z.number(),
  /** For the product: the position of the last event. */
  position: z.string().optional(),
});
export type Published = z.infer<typeof publishReply>;

/** The floor's channel for a tenant's events. */
export function floorChannel(tenantId: string): string {
  return `floor:{${tenantId}}`;
}

/** Precedes the send time in an event's text: µs of the monotonic clock that this machine's processes share. */
export const SENT_AT = '"sentAt":"';
export const SENT_AT_DIGITS = 16;

/** The current time, in the format of events. */
export function sentAtNow(): string {
  return String(process.hrtime.bigint() / 1_000n).padStart(SENT_AT_DIGITS, '0');
}
