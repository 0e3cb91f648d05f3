/** Bytes of the blocks that Node.js cuts small buffers out of. By itself it takes 8 KiB, since 26.3 64 KiB. */
const BLOCK_BYTES = 2_048;

/**
 * Makes small buffers parts of small blocks. A block stays in memory as a whole as long as any of its buffers, and an
 * idle session has some of a few bytes each, made at different times: its keys, the header of its connection, and what
 * is left of the last frame, which Baileys copies. Smaller blocks would no longer hold what a message takes, and each
 * of these buffers would be an allocation of its own.
 */
export function useSmallBufferPool(): void {
  Buffer.poolSize = BLOCK_BYTES;
}
