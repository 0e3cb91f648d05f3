import { z } from 'zod';

/** What the parent asks of the generator of load and of the publisher, and what they answer. */

const contenderName = z.enum(['product', 'floor', 'peer']);
export type ContenderName = z.infer<typeof contenderName>;

export const audience = z.object({ tenantId: z.string(), apiKey: z.string() });
/** A tenant, and the key its clients come with. */
export type Audience = z.infer<typeof audience>;

export const connectRequest = z.object({
  port: z.number(),
  protocol: z.enum(['socket.io', 'plain']),
  /** One a client. */
  clients: z.array(z.record(z.string(), z.string())),
  events: z.array(z.string()),
});

export const expectRequest = z.object({
  /** Deliveries to all clients together. */
  deliveries: z.number(),
  /** Whether each event's time on the way is noted. */
  timed: z.boolean(),
});

export const arrivedRequest = z.object({ stallMs: z.number() });

export const tally = z.object({
  received: z.number(),
  /** What the client with the fewest and the one with the most deliveries got. */
  fewest: z.number(),
  most: z.number(),
  /** Of the deliveries that were timed, ms; empty otherwise. */
  latencies: z.object({ p50: z.number(), p99: z.number(), count: z.number() }),
});
export type Tally = z.infer<typeof tally>;

export const resumeRequest = z.object({
  port: z.number(),
  apiKey: z.string(),
  events: z.array(z.string()),
  since: z.string(),
  /** Number of the first event that is expected; how many were missed; how many come in all. */
  first: z.number(),
  missed: z.number(),
  count: z.number(),
});

export const resumeReply = z.object({
  recovered: z.boolean(),
  /** Events that did not follow the one before by exactly one. */
  misplaced: z.number(),
  received: z.number(),
  /** From connecting until all that was missed was there. */
  missedMs: z.number(),
});

export const prepareRequest = z.object({ tenants: z.number() });
export const prepareReply = z.array(audience);

export const publishRequest = z.object({
  contender: contenderName,
  /** They take turns. */
  tenants: z.array(z.string()),
  events: z.number(),
  /** As fast as they are taken unless given. */
  perSecond: z.number().optional(),
  /** Whether the floor keeps what it publishes, as the product does: in a stream a tenant. */
  kept: z.boolean().default(false),
});

export const publishReply = z.object({
  elapsedMs: z.number(),
  /** How far the last event was behind its time, ms. */
  behindMs: z.number(),
  /** Of the product: position of the last event. */
  position: z.string().optional(),
});
export type Published = z.infer<typeof publishReply>;

/** Channel of the floor for a tenant's events. */
export function floorChannel(tenantId: string): string {
  return `floor:{${tenantId}}`;
}

/** Precedes the time an event was sent in its text: µs of the monotonic clock that this machine's processes share. */
export const SENT_AT = '"sentAt":"';
export const SENT_AT_DIGITS = 16;

/** Now, as events tell it. */
export function sentAtNow(): string {
  return String(process.hrtime.bigint() / 1_000n).padStart(SENT_AT_DIGITS, '0');
}
