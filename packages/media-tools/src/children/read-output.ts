import type { Readable } from 'node:stream';
import { MediaToolError } from '../errors/media-tool-error.js';

/**
 * Reads all that a child prints.
 * @throws MediaToolError `failed` if that is more than `maxBytes`.
 */
export async function readAll(stdout: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdout) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new MediaToolError('failed', 'The program printed more than it may.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
