import { errorDescriptionSchema, sessionIdSchema, tenantIdSchema } from '@wafleet/contract';
import { z } from 'zod';
import { mediaFileSchema } from './media-file.js';

const session = { tenantId: tenantIdSchema, sessionId: sessionIdSchema };

/**
 * What a worker can be told to do with one session.
 * `assign`: claim it and open it. `send-text`: send a message, under an id that the caller chose, so that a repeated
 * command cannot send twice. `pairing-code`: ask WhatsApp for a code that links the phone. `unlink`: log out at
 * WhatsApp, wipe the credentials and release. `release`: stop and hand over. `find-media`: tell what a message says of
 * its file. `refresh-media`: have the phone upload that file again, unless it lies elsewhere than was tried already; to be
 * repeated until the answer has a file.
 */
export const workerCommandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('assign'), ...session, expectPrevious: z.string().optional() }),
  z.object({
    kind: z.literal('send-text'),
    ...session,
    messageId: z.string(),
    to: z.string(),
    text: z.string(),
  }),
  z.object({ kind: z.literal('pairing-code'), ...session, phone: z.string() }),
  z.object({ kind: z.literal('unlink'), ...session }),
  z.object({ kind: z.literal('release'), ...session }),
  z.object({ kind: z.literal('find-media'), ...session, messageId: z.string() }),
  z.object({ kind: z.literal('refresh-media'), ...session, messageId: z.string(), triedPath: z.string() }),
]);

export type WorkerCommand = z.infer<typeof workerCommandSchema>;
export type CommandKind = WorkerCommand['kind'];

/**
 * How commands are queued.
 * `control`: what the cluster asks for. It is never refused for want of room, and waits for no tenant's commands.
 * `calls`: what tenants ask for and WhatsApp is asked for. Their number is bounded for each tenant and session, and those
 * of one session are carried out one after the other, as they came.
 * `media`: about files, whose downloads are bounded. Their number is bounded for each tenant. They have no order.
 */
export type CommandLane = 'control' | 'calls' | 'media';

const LANES = {
  assign: 'control',
  release: 'control',
  unlink: 'control',
  'send-text': 'calls',
  'pairing-code': 'calls',
  'find-media': 'media',
  'refresh-media': 'media',
} as const satisfies Record<CommandKind, CommandLane>;

export function laneOf(kind: CommandKind): CommandLane {
  return LANES[kind];
}

const nothing = z.object({});

/** What a worker answers to each command. `expiresAt` is ms since 1970, `sessions` how many the worker has now. */
export const replySchemas = {
  assign: z.object({ sessions: z.number().optional() }),
  'send-text': z.object({ messageId: z.string() }),
  'pairing-code': z.object({ code: z.string(), expiresAt: z.number() }),
  /** Whether no phone lists the device any more; undefined from an earlier release. */
  unlink: z.object({ isUnlinked: z.boolean().optional() }),
  release: nothing,
  'find-media': z.object({ file: mediaFileSchema }),
  'refresh-media': z.object({ file: mediaFileSchema.optional() }),
} as const satisfies Record<CommandKind, z.ZodType>;

export type CommandReply<K extends CommandKind = CommandKind> = z.infer<(typeof replySchemas)[K]>;

/** A command as it stands in an inbox. */
export const commandEnvelopeSchema = z.object({
  id: z.string(),
  replyTo: z.string(),
  idempotencyKey: z.string().optional(),
  command: z.unknown(),
});

/** What became of a command, as it is told to its sender. */
export const outcomeSchema = z.discriminatedUnion('outcome', [
  z.object({ id: z.string(), outcome: z.literal('done'), reply: z.unknown() }),
  z.object({ id: z.string(), outcome: z.literal('failed'), error: errorDescriptionSchema }),
  z.object({ id: z.string(), outcome: z.literal('not-owner') }),
]);

export type Outcome = z.infer<typeof outcomeSchema>;

/** The worker does not own the session that the command is for: look the owner up again. */
export class NotOwnerError extends Error {
  constructor({ tenantId, sessionId }: { tenantId: string; sessionId: string }) {
    super(`the worker does not own session ${tenantId}/${sessionId}`);
    this.name = 'NotOwnerError';
  }
}
