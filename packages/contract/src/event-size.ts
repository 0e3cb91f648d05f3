/** How large the payload of an event may be, in bytes of UTF-8. Of what is larger a part is left out, see `omitted`. */
export const MAX_EVENT_BYTES = 512 * 1024;
