import { createHmac, randomBytes } from 'node:crypto';

/** Makes the ids that a call gives to what it makes. */
export interface CallIds {
  /** 32 bytes: the same ones for each purpose. */
  bytes(purpose: string): Buffer;
}

/** Ids that no other call has. */
export function randomIds(): CallIds {
  return idsFrom(randomBytes(32));
}

/** The same ids for the same seed, on every edge. The ids do not show the seed. */
export function idsFrom(seed: Buffer): CallIds {
  return { bytes: (purpose) => createHmac('sha256', seed).update(purpose).digest() };
}
