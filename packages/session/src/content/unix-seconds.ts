/** Seconds since 1970 of a time in ISO 8601. */
export function toUnixSeconds(instant: string): number {
  return Math.floor(Date.parse(instant) / 1_000);
}
