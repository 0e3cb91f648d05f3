import { readBundleKey, sealBundle } from '@wafleet/session-bundle';
import {
  type Cipher,
  type Fence,
  type RedisConnection,
  SessionDirectory,
  SessionExports,
  WorkerBoxes,
} from '@wafleet/store';

/**
 * Hands a session out as its worker does, with credentials that no import takes. Returns whether an export was wanted
 * and could be carried out.
 */
export async function handOut(
  fence: Fence,
  { redis, cipher }: { readonly redis: RedisConnection; readonly cipher: Cipher },
): Promise<boolean> {
  const exports = new SessionExports(redis);
  const { exportRequest } = await new SessionDirectory(redis).require(fence);
  if (exportRequest === undefined) return false;
  const key = readBundleKey(exports.openKey(fence, exportRequest, new WorkerBoxes(cipher)));
  const creds = { me: { id: '15551230001:1@s.whatsapp.net' }, account: {} };
  const bundle = await sealBundle({ creds, keys: new Map() }, key);
  return exports.finish(fence, exportRequest, { bundle });
}
