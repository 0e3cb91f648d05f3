import { connectionOf } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { BundleError, readBundleKey, sealBundle } from '@wafleet/session-bundle';
import {
  type AuthStateStore,
  type Cipher,
  type EventLog,
  type ExportOutcome,
  type ExportRequest,
  type Fence,
  isRedisUnreachable,
  type SessionExports,
  WorkerBoxes,
} from '@wafleet/store';

interface ExportResources {
  /** The claim of this worker, which does not connect the session. */
  readonly fence: Fence;
  readonly request: ExportRequest;
  readonly auth: AuthStateStore;
  readonly cipher: Cipher;
  readonly exports: SessionExports;
  readonly events: EventLog;
  readonly logger: Logger;
}

/**
 * Hands the credentials of a session out: seals them with the key that an edge has sealed for this worker, leaves the
 * bundle for the edge, and closes the session in the same step. Publishes the change of the status.
 * @returns false if the session goes on as before: the export was taken back, or there is nothing that can be handed
 * out.
 * @throws {FencedError}; an error if Redis is unreachable.
 */
export async function exportSession(resources: ExportResources): Promise<boolean> {
  const { fence, request, exports, events, auth, logger } = resources;
  const { tenantId, sessionId } = fence;
  try {
    const outcome = await sealedSession(resources);
    const isFinished = await exports.finish(fence, request, outcome);
    if (!isFinished || !('bundle' in outcome)) return false;
    logger.info({ tenantId, sessionId }, 'the session was handed out and is closed');
    const timestamp = new Date().toISOString();
    const status = 'closed';
    const change = { status, reason: 'exported', since: timestamp, connection: connectionOf(status) };
    const body = JSON.stringify({ sessionId, timestamp, ...change });
    await events.append(fence, [{ event: 'connection.update', body }]);
    return true;
  } finally {
    auth.discard();
  }
}

async function sealedSession(resources: ExportResources): Promise<ExportOutcome> {
  const { fence, request, auth, cipher, exports, logger } = resources;
  try {
    const key = readBundleKey(exports.openKey(fence, request, new WorkerBoxes(cipher)));
    // A worker died with them. They are in no bundle, and would be lost: the session has to be opened first.
    if (await auth.hasUnfinished()) return { failure: 'unfinished' };
    return { bundle: await sealBundle(await auth.readAll(), key) };
  } catch (error) {
    if (isRedisUnreachable(error)) throw error;
    const problem = error instanceof BundleError ? error.problem : undefined;
    if (problem === 'not-linked' || problem === 'too-large') return { failure: problem };
    const { tenantId, sessionId } = fence;
    logger.warn({ err: error, tenantId, sessionId }, 'the stored credentials cannot be handed out');
    return { failure: 'unreadable' };
  }
}
