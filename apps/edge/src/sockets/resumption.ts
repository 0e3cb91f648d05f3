import { randomBytes } from 'node:crypto';
import type { ResumeRecord, ResumeRecords, ResumeRef } from '@wafleet/store';
import { z } from 'zod';
import type { Identity } from '../access/identity.js';
import { giveSecret } from '../engine/resume-secret.js';
import type { EventSocket } from './event-socket.js';

/** A client as it connects: its secret, and what it resumes if it was here before. */
export interface Resumption {
  readonly ref: ResumeRef;
  /** What it was subscribed to; undefined for nothing. */
  readonly subscribed: ResumeRecord['subscribed'];
  /** The client was here before, and may have been subscribed to something that is not known any more. */
  readonly isForgotten: boolean;
}

const SECRET_BYTES = 24;
const handshakeSchema = z.looseObject({ pid: z.string().regex(/^[A-Za-z0-9_-]{32}$/) });

/** Whether a client claims that it was let in before. */
export function isReturning(auth: unknown): boolean {
  return handshakeSchema.safeParse(auth).success;
}

/**
 * Finds what a client resumes. Socket.IO's JavaScript clients send back as `auth.pid`, on each reconnect, what the
 * server called `pid` in its last answer to CONNECT. Others send none and are new each time. The secret is good only
 * together with the API key that it was given to. Every secret has a record from the start. So a returning client that
 * never subscribed differs from one whose subscription is gone.
 */
export async function findResumption(
  records: ResumeRecords,
  { tenantId, keyId }: Identity,
  auth: unknown,
): Promise<Resumption> {
  const given = handshakeSchema.safeParse(auth);
  let isForgotten = false;
  if (given.success) {
    const ref = { tenantId, secret: given.data.pid };
    const record = await records.find(ref);
    if (record?.keyId === keyId) return { ref, subscribed: record.subscribed, isForgotten };
    isForgotten = record === undefined || record.subscribed !== undefined;
  }
  const ref = { tenantId, secret: randomBytes(SECRET_BYTES).toString('base64url') };
  await records.create(ref, keyId);
  return { ref, subscribed: undefined, isForgotten };
}

/**
 * Makes Socket.IO send the secret with its CONNECT answer, as it does for its own connection state recovery. That
 * recovery is off, since it adds an argument to each event.
 */
export function announce(socket: EventSocket, { ref }: Resumption): void {
  giveSecret(socket, ref.secret);
}
