import { createHash } from 'node:crypto';

/** The user part of a number's LID: 15 digits. The same number always has the same LID. */
export function lidUserOf(number: string): string {
  const hash = createHash('sha256').update(`lid ${number}`).digest().readUIntBE(0, 6);
  return String(100_000_000_000_000 + (hash % 900_000_000_000_000));
}
