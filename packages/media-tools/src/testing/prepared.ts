import { ffmpegPath } from '@wafleet/testkit';
import { createMediaTools } from '../create-media-tools.js';
import type { Prepared } from '../interface/descriptions.js';
import type { MediaCall, MediaToolsOptions } from '../interface/media-tools.js';
import type { SpoolFile } from '../spool/spool-file.js';
import { contentOf, spoolOf } from './samples.js';

export const testTools = (options: MediaToolsOptions = {}) => createMediaTools({ ffmpegPath, ...options });

export const testCall: MediaCall = { tenantId: 'tenant' };

/** Calls a method with a file of this content, and closes the file. */
export async function withFile<T>(
  content: Buffer | string,
  method: (input: SpoolFile, call: MediaCall) => Promise<T>,
  call: MediaCall = testCall,
): Promise<T> {
  const input = await spoolOf(content);
  try {
    return await method(input, call);
  } finally {
    await input.close();
  }
}

/** Prepares a file of this content. `isSame`: it can be sent as it is. */
export async function prepare<T extends Prepared>(
  content: Buffer,
  method: (input: SpoolFile, call: MediaCall) => Promise<T>,
): Promise<{ result: T; content: Buffer; isSame: boolean }> {
  return await withFile(content, async (input, call) => {
    const result = await method(input, call);
    const prepared = { result, content: await contentOf(result.file), isSame: result.file === input };
    await result.file.close();
    return prepared;
  });
}
