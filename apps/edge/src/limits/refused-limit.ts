import type { ERRORS, ErrorCode, WafleetError } from '@wafleet/contract';
import type { Limit } from './client-limits.js';

/** The errors that report an exceeded limit: those of status 429, and the one for lists that are too long. */
type LimitCode =
  | { [C in ErrorCode]: (typeof ERRORS)[C]['status'] extends 429 ? C : never }[ErrorCode]
  | 'TOO_MANY_ITEMS';

/**
 * The limit that each error counts for when a client gets it. Each error of a limit has to be here, or the edge does
 * not compile. `at-source`: an error of several limits, some of them found before there is a request. It is counted
 * where the limit is found to be exceeded.
 */
const REFUSED_LIMITS = {
  TOO_MANY_ITEMS: 'subscription_items',
  TOO_MANY_DOWNLOADS: ({ resource }) =>
    resource === 'mediaDownloads' ? 'media_downloads' : 'media_downloads_per_edge',
  TOO_MANY_UPLOADS: ({ resource }) => {
    if (resource === 'mediaUploads') return 'media_uploads';
    return resource === 'uploads' ? 'uploads_per_session' : 'media_uploads_per_edge';
  },
  INBOX_FULL: 'inbox',
  TOO_MANY_IDEMPOTENCY_KEYS: 'idempotency_keys',
  TOO_MANY_JOBS: 'jobs',
  PACED: ({ resource }) => (resource === 'paced_new_chats' ? 'paced_new_chats' : 'paced_sends'),
  SENDS_PAUSED: 'sends_paused',
  TOO_MANY_SESSIONS: 'at-source',
  TOO_MANY_COMMANDS: 'at-source',
  TOO_MANY_REPLAYS: 'at-source',
  TOO_MANY_CONNECTIONS: 'at-source',
  TOO_MANY_HANDSHAKES: 'at-source',
  RATE_LIMITED: 'at-source',
} as const satisfies Record<
  LimitCode,
  Limit | 'at-source' | ((details: Readonly<Record<string, unknown>>) => Limit)
>;

function isOfLimit(code: ErrorCode): code is LimitCode {
  return Object.hasOwn(REFUSED_LIMITS, code);
}

/**
 * The limit that an error counts for when a client gets it. Returns undefined if the error has no limit, or was counted
 * already.
 */
export function refusedLimit({ code, details = {} }: WafleetError): Limit | undefined {
  if (!isOfLimit(code)) return undefined;
  const limit = REFUSED_LIMITS[code];
  if (typeof limit === 'function') return limit(details);
  return limit === 'at-source' ? undefined : limit;
}
