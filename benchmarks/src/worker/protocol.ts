import { join } from 'node:path';
import { z } from 'zod';

/** The requests of the parent to the simulated WhatsApp and the peer, and their answers. */

export const session = z.object({
  id: z.string(),
  /** The number of its account. */
  number: z.string(),
  /** The JID of the contact who writes to it. */
  contact: z.string(),
  /** The JID of a group with the session, its contact and other people. */
  group: z.string(),
});
/** A session of a contender. */
export type Session = z.infer<typeof session>;

const chat = z.enum(['contact', 'group']);
/** Where messages are written: between the session and its contact, or in its group. */
export type ChatKind = z.infer<typeof chat>;

export const startReply = z.object({ url: z.string(), rootKey: z.string() });

const destination = z.discriminatedUnion('kind', [
  /** Baileys' multi-file format, in a folder for each session. */
  z.object({ kind: z.literal('files'), folder: z.string() }),
  /** Stored where a worker finds them. */
  z.object({
    kind: z.literal('redis'),
    redisUrl: z.string(),
    encryptionKey: z.string(),
    tenantId: z.string(),
  }),
]);
export type Destination = z.infer<typeof destination>;

/** The folder of a session's files. */
export function folderOf(folder: string, sessionId: string): string {
  return join(folder, sessionId);
}

export const linkRequest = z.object({ count: z.number(), destination });
export const linkReply = z.array(session);

export const writeRequest = z.object({
  label: z.string(),
  sessions: z.array(z.string()),
  chat,
  /** Messages of each session. */
  each: z.number(),
  perSecond: z.number(),
});
/** Messages to or from sessions, in turns. */
export type Writing = z.infer<typeof writeRequest>;

/** How long each message took until it was acknowledged, ms. */
export const sendReply = z.array(z.number());

export const sessionsRequest = z.object({ sessions: z.array(z.string()) });

export const arrivedRequest = z.object({ label: z.string(), count: z.number() });
export const arrivedReply = z.number();

export const nothing = z.null();

/** The text of a message, which is also its id. */
export function textOf(label: string, index: number): string {
  return `bench-${label}-${index}`;
}

/** The label of a text that `textOf` created. Undefined for other texts. */
export function labelOf(text: string): string | undefined {
  return /^bench-(.+)-\d+$/.exec(text)?.[1];
}

/** The sessions of a writing, one for each message. */
export function turnsOf({ sessions, each }: Pick<Writing, 'sessions' | 'each'>): string[] {
  return Array.from({ length: each }, () => sessions).flat();
}
