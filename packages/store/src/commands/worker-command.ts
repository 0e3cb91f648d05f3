import {
  COMMANDS,
  type Command,
  type CommandFields,
  type CommandKind,
  type CommandReply,
  type Execution,
  errorDescriptionSchema,
  sessionIdSchema,
  tenantIdSchema,
} from '@wafleet/contract';
import { z } from 'zod';
import type { SessionRef } from '../redis/session-ref.js';

/** A command for one session, of one of the kinds `K`. */
export type WorkerCommand<K extends CommandKind = CommandKind> = {
  [P in K]: { readonly kind: P } & SessionRef & CommandFields<P>;
}[K];

const session = { tenantId: tenantIdSchema, sessionId: sessionIdSchema };

const schemas: ReadonlyMap<string, z.ZodObject> = new Map(
  Object.entries<Command>(COMMANDS).map(([kind, { fields }]) => [
    kind,
    fields.extend({ kind: z.literal(kind), ...session }),
  ]),
);

const kindSchema = z.object({ kind: z.string() });

/** Returns undefined if this release does not know the kind, or if the fields do not match it. */
export function parseCommand(value: unknown): WorkerCommand | undefined {
  const { data } = kindSchema.safeParse(value);
  const command = data && schemas.get(data.kind)?.safeParse(value).data;
  // The schema of the kind is the one that its type is made from.
  return command as WorkerCommand | undefined;
}

export function executionOf(kind: CommandKind): Execution {
  return COMMANDS[kind].execution;
}

/** @throws {ZodError} */
export function parseReply<K extends CommandKind>(kind: K, value: unknown): CommandReply<K> {
  const { reply }: Command = COMMANDS[kind];
  // As above.
  return reply.parse(value) as CommandReply<K>;
}

/** The version of the envelopes that this release writes. It reads earlier ones too. */
export const ENVELOPE_VERSION = 1;

/**
 * A command in the form in which an inbox stores it. Unknown fields are ignored, so that fields such as a trace context
 * can be added without a new version. A worker that reads a later version answers that it does not support it.
 */
export const commandEnvelopeSchema = z.object({
  /** Absent in what earlier releases wrote. */
  v: z.number().int().default(ENVELOPE_VERSION),
  id: z.string(),
  replyTo: z.string(),
  idempotencyKey: z.string().optional(),
  /** Of the REST call that led to the command: for logs. */
  requestId: z.string().max(128).optional().catch(undefined),
  command: z.unknown(),
});

export type CommandEnvelope = z.output<typeof commandEnvelopeSchema>;

/** The outcome of a command, in the form in which its sender receives it. */
export const outcomeSchema = z.discriminatedUnion('outcome', [
  z.object({ id: z.string(), outcome: z.literal('done'), reply: z.unknown() }),
  z.object({ id: z.string(), outcome: z.literal('failed'), error: errorDescriptionSchema }),
  z.object({ id: z.string(), outcome: z.literal('not-owner') }),
  z.object({ id: z.string(), outcome: z.literal('not-supported') }),
]);

export type Outcome = z.infer<typeof outcomeSchema>;

/** The worker does not own the session of the command. Look up the owner again. */
export class NotOwnerError extends Error {
  constructor({ tenantId, sessionId }: SessionRef) {
    super(`the worker does not own session ${tenantId}/${sessionId}`);
    this.name = 'NotOwnerError';
  }
}

/** The worker runs a release that does not know the command. It did nothing. */
export class NotSupportedError extends Error {
  constructor(kind: CommandKind) {
    super(`the worker does not know the command ${kind}`);
    this.name = 'NotSupportedError';
  }
}
