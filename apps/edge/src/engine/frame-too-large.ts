import type { Internal } from './internal.js';
import { within } from './probe-client.js';

/**
 * The text of ws's error for a frame over the limit.
 *
 * Why: such frames are counted. Engine.IO makes another error of ws's own, without its code.
 * Removal: Engine.IO passes ws's error on.
 */
export const FRAME_TOO_LARGE: Internal = {
  library: 'ws',
  name: 'the error "Max payload size exceeded"',
  /** Ends the connection. */
  isThere: async ({ connection, client }) => {
    const ended = new Promise<unknown>((resolve) => {
      connection.once('close', (_reason: string, error: unknown) => resolve(error));
    });
    client.sendTooLarge();
    return isFrameTooLarge(await within(ended));
  },
};

/** Whether a connection ended with this error because its client sent a frame over the limit. */
export function isFrameTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message.includes('Max payload size exceeded');
}
