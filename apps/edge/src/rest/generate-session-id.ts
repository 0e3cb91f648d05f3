import { randomBytes } from 'node:crypto';

/** The id of a session whose client does not give one. */
export function generateSessionId(): string {
  return `ses_${randomBytes(8).toString('hex')}`;
}
