/** How long an unused inbox is kept: far longer than any deadline of a command. */
export const INBOX_LIFE_MS = 60 * 60 * 1000;

/** How many commands a worker's inbox holds, including running ones, before it refuses more. */
export const INBOX_LIMIT = 1_000;

/** How many commands a tenant may have under way if inboxes are full of other tenants' commands. */
export const INBOX_SHARE = 10;
