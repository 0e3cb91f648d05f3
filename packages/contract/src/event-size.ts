/** The maximum size of an event's payload, in bytes of UTF-8. Parts of a larger payload are left out, see `omitted`. */
export const MAX_EVENT_BYTES = 512 * 1024;
