/**
 * The size of the blocks that Node.js cuts small buffers out of, in bytes. Node.js' default: 8 KiB, and 64 KiB since
 * 26.3.
 */
const BLOCK_BYTES = 2_048;

/**
 * Makes Node.js cut small buffers out of small blocks. A block stays in memory as a whole as long as any of its
 * buffers. An idle session has some buffers of a few bytes each, created at different times: its keys, the header of
 * its connection, and the rest of the last frame, which Baileys copies. With even smaller blocks, the buffers for a
 * message would no longer fit, and each would be an allocation of its own.
 *
 * Removal condition: an idle session keeps no small buffers, which takes Baileys not to copy the rest of each frame and
 * to hold its keys in one buffer (docs/upstream.md, 28).
 */
export function useSmallBufferPool(): void {
  Buffer.poolSize = BLOCK_BYTES;
}
