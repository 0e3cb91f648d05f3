import { z } from 'zod';

/** The requests of the bench to WhatsApp, the neighbour and the attacker, in separate processes, and their answers. */

export const nothing = z.null();

export const startReply = z.object({ url: z.string(), rootKey: z.string() });

export const scanRequest = z.object({ sessionId: z.string(), qr: z.string() });

/** Texts to a session from its contact, with measured latency. */
export const writeRequest = z.object({
  sessionId: z.string(),
  label: z.string(),
  count: z.number(),
  perSecond: z.number(),
});

/** When WhatsApp sent each text to the session, by `sharedNow`. */
export const writeReply = z.array(z.number());

/** Texts of many megabytes to a session from its contact, one after the other, cycling through these sizes. */
export const writeLargeRequest = z.object({
  sessionId: z.string(),
  megabytes: z.array(z.number()),
  everyMs: z.number(),
  forMs: z.number(),
});
/** The number of sent texts. */
export const writeLargeReply = z.number();

/** The edge that is attacked, and another one. */
const edges = z.object({ attacked: z.number(), other: z.number() });

export const connectRequest = z.object({
  /** Their ports. */
  ports: edges,
  apiKey: z.string(),
  sessionId: z.string(),
  /** The number of a person to send to. */
  recipient: z.string(),
});

export const measureRequest = z.object({
  forMs: z.number(),
  /** Reads of a session per second. */
  reads: edges,
  /** Messages sent per second, through the attacked edge. */
  sends: z.number(),
  /** Whether a session is created meanwhile, and removed when it shows a QR code. */
  links: z.boolean(),
});

const latencies = z.object({ p50: z.number(), p99: z.number(), count: z.number() });
/** Times in ms. */
export type Latencies = z.infer<typeof latencies>;

export const measureReply = z.object({
  reads: z.object({ attacked: latencies, other: latencies }),
  sends: latencies,
  /** The answer to each failed call. */
  failed: z.array(z.string()),
});

export const receivedRequest = z.object({ label: z.string(), writtenAt: writeReply });

const arrivals = latencies.extend({ missing: z.number(), duplicates: z.number() });
export const receivedReply = z.object({ attacked: arrivals, other: arrivals });

export const attackName = z.enum([
  'unread-streams',
  'repeated-subscriptions',
  'connect-and-cut',
  'session-flood',
  'send-flood',
  'large-messages',
]);
export type AttackName = z.infer<typeof attackName>;

export const tenant = z.object({
  tenantId: z.string(),
  /** A key with all permissions. */
  apiKey: z.string(),
  /** A key for events only, of a list of sessions with long ids. */
  listKey: z.string(),
});
/** A tenant and its keys. */
export type Tenant = z.infer<typeof tenant>;

export const fillRequest = z.object({ tenant, events: z.number(), bytes: z.number() });

export const attackRequest = z.object({
  name: attackName,
  tenant,
  port: z.number(),
  /** Open sessions of the tenant. */
  sessions: z.array(z.string()),
  recipient: z.string(),
  /** Share of the described attack: 1, or less for a quick run. */
  scale: z.number(),
});

/** The number of occurrences of each outcome. */
export const attackReply = z.record(z.string(), z.number());

/** The text of a timed message. */
export function timedText(label: string, index: number): string {
  return `timed ${label} ${index}`;
}

/** Reads a text of `timedText` anywhere in an event; undefined if there is none. */
export function readTimedText(event: string): { label: string; index: number } | undefined {
  const [, label, index] = /"timed (\S+) (\d+)"/.exec(event) ?? [];
  return label === undefined ? undefined : { label, index: Number(index) };
}

/** The current time in ms, by the clock that this machine's processes share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
