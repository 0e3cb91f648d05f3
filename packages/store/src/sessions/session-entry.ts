import {
  type LinkProgress,
  linkProgressSchema,
  type SessionStatus,
  sessionStatusSchema,
} from '@wafleet/contract';
import { z } from 'zod';
import type { SessionRef } from '../redis/session-ref.js';

export type DesiredState = 'open' | 'closed';

/** The reason of a session whose record this release cannot read. It shows as `failed`; a restart repairs it. */
export const RECORD_UNREADABLE = 'record-unreadable';

/** An export that is noted with a session, for the next worker that claims it. */
export interface ExportRequest {
  readonly id: string;
  /** Until when a worker may carry it out, ms since 1970. */
  readonly by: number;
  /** What the bundle is to be sealed with, sealed for workers. */
  readonly key: string;
}

/** A session in the directory. */
export interface SessionRecord extends SessionRef {
  readonly name?: string;
  /** The state that the tenant wants. */
  readonly desired: DesiredState;
  /** The status that its owner reports. */
  readonly status: SessionStatus;
  /** The reason for this status, if there is one. */
  readonly reason?: string;
  /** Since when it has this status, ms since 1970. */
  readonly since: number;
  /** The linked phone number, digits only. */
  readonly phone?: string;
  /** How far linking a phone has come, as its owner reports it; absent if the session is linked. */
  readonly link?: LinkProgress;
  /** The linked device, as `linkedDevice` names it. Missing if no release that notes it has run the session. */
  readonly device?: string;
  /** When its credentials were imported, ms since 1970; missing if they were not. */
  readonly importedAt?: number;
  /** Present if its credentials are to be handed out. Void once its time is over. */
  readonly exportRequest?: ExportRequest;
  /** The worker incarnation in the owner record. It may have died since. */
  readonly worker?: string;
  /** ms since 1970. */
  readonly createdAt: number;
  /**
   * Present if the session is to be removed: as soon as its phone knows, and at this time at the latest, ms since 1970.
   */
  readonly removeBy?: number;
  /** Present if an attempt to remove the session failed: the earliest time of the next attempt, ms since 1970. */
  readonly removeAfter?: number;
  /**
   * When Redis read the record, ms since 1970, to compare these times by one clock. Only beside `removeBy` and
   * `exportRequest`.
   */
  readonly readAt?: number;
  /** When WhatsApp last delivered something, as noted about once a minute, ms since 1970. */
  readonly lastStanzaAt?: number;
  /** When WhatsApp last delivered a message, as noted about once a minute, ms since 1970. */
  readonly lastMessageAt?: number;
}

/** The last millisecond that a Date can hold. */
const LAST_INSTANT = 8.64e15;
const instant = z.coerce.number().min(0).max(LAST_INSTANT);

/** JSON text of an object that fits the schema. */
const linkSchema = z
  .string()
  .transform((text, context) => {
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch {
      context.addIssue('not JSON');
      return z.NEVER;
    }
  })
  .pipe(linkProgressSchema);

const fieldSchemas = {
  name: z.string().trim().min(1).max(100).optional(),
  desired: z.enum(['open', 'closed']),
  status: sessionStatusSchema,
  reason: z.string().optional(),
  since: instant,
  phone: z.string().optional(),
  link: linkSchema.optional(),
  device: z.string().optional(),
  importedAt: instant.optional(),
  exportId: z.string().optional(),
  exportBy: instant.optional(),
  exportKey: z.string().optional(),
  createdAt: instant,
  removeBy: instant.optional(),
  removeAfter: instant.optional(),
  lastStanzaAt: instant.optional(),
  lastMessageAt: instant.optional(),
} as const;

/** The readable part of a record, and the fields that cannot be read: `[]` if the record is not a hash. */
export interface ReadEntry {
  readonly record: SessionRecord;
  readonly unreadable: readonly string[] | undefined;
}

/**
 * Reads a directory entry. Never throws: a field that this release does not understand, as a later or a rolled back
 * release leaves it, must not hide the other sessions. If the status or the desired state is unknown, the session
 * counts as failed with `record-unreadable`. Any other unreadable field gets its default.
 * @param entry undefined if the stored record is not a hash.
 */
export function readEntry(
  ref: SessionRef,
  entry: Readonly<Record<string, string>> | undefined,
  worker: string | undefined,
): ReadEntry {
  const unreadable: string[] = [];
  const read = <T>(field: string, schema: z.ZodType<T>): T | undefined => {
    const { success, data } = schema.safeParse(entry?.[field]);
    if (!success) unreadable.push(field);
    return data;
  };
  const name = read('name', fieldSchemas.name);
  const desired = read('desired', fieldSchemas.desired);
  const status = read('status', fieldSchemas.status);
  const reason = read('reason', fieldSchemas.reason);
  const phone = read('phone', fieldSchemas.phone);
  const link = read('link', fieldSchemas.link);
  const device = read('device', fieldSchemas.device);
  const importedAt = read('importedAt', fieldSchemas.importedAt);
  const exportId = read('exportId', fieldSchemas.exportId);
  const exportBy = read('exportBy', fieldSchemas.exportBy);
  const exportKey = read('exportKey', fieldSchemas.exportKey);
  const removeBy = read('removeBy', fieldSchemas.removeBy);
  const removeAfter = read('removeAfter', fieldSchemas.removeAfter);
  const lastStanzaAt = read('lastStanzaAt', fieldSchemas.lastStanzaAt);
  const lastMessageAt = read('lastMessageAt', fieldSchemas.lastMessageAt);
  const createdAt = read('createdAt', fieldSchemas.createdAt) ?? 0;
  const since = read('since', fieldSchemas.since) ?? createdAt;
  const isKnown = desired !== undefined && status !== undefined;
  const shownReason = isKnown ? reason : RECORD_UNREADABLE;
  const record: SessionRecord = {
    tenantId: ref.tenantId,
    sessionId: ref.sessionId,
    desired: desired ?? 'open',
    status: isKnown ? status : 'failed',
    since,
    createdAt,
    ...(name === undefined ? {} : { name }),
    ...(shownReason === undefined ? {} : { reason: shownReason }),
    ...(phone === undefined ? {} : { phone }),
    ...(link === undefined ? {} : { link }),
    ...(device === undefined ? {} : { device }),
    ...(importedAt === undefined ? {} : { importedAt }),
    ...(exportId === undefined || exportBy === undefined || exportKey === undefined
      ? {}
      : { exportRequest: { id: exportId, by: exportBy, key: exportKey } }),
    ...(worker === undefined ? {} : { worker }),
    ...(removeBy === undefined ? {} : { removeBy }),
    ...(removeAfter === undefined ? {} : { removeAfter }),
    ...(lastStanzaAt === undefined ? {} : { lastStanzaAt }),
    ...(lastMessageAt === undefined ? {} : { lastMessageAt }),
  };
  if (entry === undefined) return { record, unreadable: [] };
  return { record, unreadable: unreadable.length > 0 ? unreadable : undefined };
}
