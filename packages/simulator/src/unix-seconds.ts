/** The current time in whole seconds since 1970, the unit of stanzas. */
export function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
