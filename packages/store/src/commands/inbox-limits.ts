/** How long an inbox that nobody uses stays: far longer than any deadline of a command. */
export const INBOX_LIFE_MS = 60 * 60 * 1000;

/** How many commands a worker's inbox holds, those being carried out included, before it refuses more. */
export const INBOX_LIMIT = 1_000;

/** How many commands a tenant may have under way when inboxes are full of others' commands. */
export const INBOX_SHARE = 10;
