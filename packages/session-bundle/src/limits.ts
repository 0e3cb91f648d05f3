/**
 * What one session may have. An account with a thousand groups and ten thousand contacts has some 20,000 records and
 * 10 MB. What exceeds a bound is refused, so that a file cannot fill the memory of the process that reads it.
 */
export const BUNDLE_LIMITS = {
  /** All texts of a session together, bytes. */
  bytes: 32 * 1024 * 1024,
  records: 50_000,
  /** Characters of a record's name. */
  nameLength: 512,
  /** Levels of objects in a record. A Signal session has six. */
  depth: 32,
  /** Newest pre-keys that are kept. WhatsApp holds 812 at most; some gateways never delete used ones. */
  preKeys: 2_000,
} as const;
