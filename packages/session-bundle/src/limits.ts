/**
 * What one session may have, on its way in and on its way out. A Signal session takes about 1.9 KB, for each device of a
 * person; the keys of a group's sender 0.8 KB; a person's ids 0.1 KB in two records. So 32 MiB are 17,000 devices, and
 * 200,000 records are far more people than 32 MiB. What exceeds a bound is refused, so that a file cannot fill the memory
 * of the process that reads it.
 */
export const BUNDLE_LIMITS = {
  /** All texts of a session together, bytes. */
  bytes: 32 * 1024 * 1024,
  records: 200_000,
  /** Characters of a record's name. */
  nameLength: 512,
  /**
   * Fields and items of one record, on all its levels. The members' devices of the largest groups are 25,000. A record with
   * more keeps the process busy for seconds, all at once, and so do those who read it later.
   */
  values: 50_000,
  /** Levels of objects in a record. A Signal session has six. */
  depth: 32,
  /** Newest pre-keys that are kept. WhatsApp holds 812 at most; some gateways never delete used ones. */
  preKeys: 2_000,
} as const;
