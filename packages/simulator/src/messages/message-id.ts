import { randomBytes } from 'node:crypto';

/** An id in the format that phones use. */
export function createMessageId(): string {
  return `3A${randomBytes(9).toString('hex').toUpperCase()}`;
}
