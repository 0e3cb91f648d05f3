/** The id of a session whose client does not give one. @param random at least 8 bytes. */
export function sessionIdOf(random: Buffer): string {
  return `ses_${random.toString('hex', 0, 8)}`;
}
