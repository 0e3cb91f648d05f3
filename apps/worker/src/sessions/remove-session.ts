import { isResting } from '@wafleet/contract';
import { withTimeout } from '@wafleet/runtime';
import type { WhatsAppSession } from '@wafleet/session';
import { type DeferredRemoval, type Fence, NotOwnerError, type SessionDirectory } from '@wafleet/store';
import type { SessionLog } from './session-log.js';

const LOOK_MS = 1_000;

interface Removal {
  readonly fence: Fence;
  readonly session: WhatsAppSession;
  readonly directory: SessionDirectory;
  /** When the session is purged, unlinked or not, by `performance.now()`. */
  readonly removeBy: number;
  readonly isOwned: () => boolean;
  /** See deferRemoval of the store. */
  readonly defer: () => Promise<DeferredRemoval | undefined>;
  readonly log: SessionLog;
}

/** The session is left to the next worker. */
class LogoutUnconfirmedError extends NotOwnerError {
  override readonly message = 'WhatsApp did not confirm the logout';
}

/** The session is logged out and stays in the directory, because it is not to be removed any more. */
class RemovalTakenBackError extends NotOwnerError {
  override readonly message = 'the removal was taken back meanwhile';
}

/**
 * Removes a session: waits until it is open, logs it out at WhatsApp, and purges it. A session that turns out to be
 * unlinked, or that WhatsApp refuses for good, is purged at once. If WhatsApp does not confirm the logout, the keys
 * stay and the session is left to the next worker, until its time is up. That worker waits before it logs in again,
 * longer after each attempt. Every step may be repeated: the directory holds what has to be done until the purge.
 *
 * Resolves to whether no phone lists the device any more.
 * @throws {NotOwnerError} if the session is left to another worker, or is not to be removed any more.
 */
export async function removeSession(removal: Removal): Promise<{ isUnlinked: boolean }> {
  const { fence, isOwned, defer, log } = removal;
  try {
    return await attemptRemoval(removal);
  } catch (error) {
    // Without a note, for instance while Redis is away, the next sweep tries again.
    if (isOwned()) log.removalFailed(fence, error, await defer().catch(() => undefined));
    throw error;
  }
}

async function attemptRemoval(removal: Removal): Promise<{ isUnlinked: boolean }> {
  const { fence, session, directory, removeBy, isOwned, log } = removal;
  const isTimeUp = () => performance.now() >= removeBy;
  const isDecided = () =>
    session.status === 'open' || session.status === 'awaiting_link' || isResting(session.status);
  while (isOwned() && !isDecided() && !isTimeUp()) {
    await withTimeout(session.statusChanged(), LOOK_MS);
  }
  if (!isOwned()) throw new NotOwnerError(fence);
  const isUnlinked = isResting(session.status)
    ? session.status !== 'failed'
    : (await session.unlink({ keepsKeys: !isTimeUp() })).isUnlinked;
  const isFinal = isUnlinked || isResting(session.status) || isTimeUp();
  if (!isFinal) throw new LogoutUnconfirmedError(fence);
  if (!(await directory.purge(fence, { fence, ifMarked: true, isUnlinked }))) {
    throw isOwned() && (await directory.get(fence))?.worker === fence.worker
      ? new RemovalTakenBackError(fence)
      : new NotOwnerError(fence);
  }
  log.removed(fence, { isUnlinked });
  return { isUnlinked };
}
