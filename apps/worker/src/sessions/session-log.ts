import type { Logger } from '@wafleet/runtime';
import type { DeferredRemoval, Fence, SessionRef } from '@wafleet/store';

/**
 * Logs a session's way between workers for operators: one line for each step, with the messages that the section "Logs"
 * of docs/operations.md lists. The logger names the worker.
 */
export class SessionLog {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param previousWorkerId the worker that the session was taken from, since it counts as dead. */
  claimed({ tenantId, sessionId, epoch }: Fence, previousWorkerId: string | undefined): void {
    const fields = { tenantId, sessionId, epoch };
    if (previousWorkerId === undefined) this.#logger.info(fields, 'a session was claimed');
    else this.#logger.info({ ...fields, previousWorkerId }, 'a session was taken over');
  }

  /** @param ownerId the owner of the session, if that is the reason. */
  claimRefused({ tenantId, sessionId }: SessionRef, reason: string, ownerId?: string): void {
    this.#logger.info({ tenantId, sessionId, reason, ownerId }, 'a claim was refused');
  }

  released({ tenantId, sessionId, epoch }: Fence, reason: string): void {
    this.#logger.info({ tenantId, sessionId, epoch, reason }, 'a session was released');
  }

  handedOver({ tenantId, sessionId }: SessionRef, next: { workerId: string; tookMs: number }): void {
    const { workerId: nextWorkerId, tookMs } = next;
    this.#logger.info({ tenantId, sessionId, nextWorkerId, tookMs }, 'a session was handed over');
  }

  removed({ tenantId, sessionId }: SessionRef, { isUnlinked }: { isUnlinked: boolean }): void {
    this.#logger.info({ tenantId, sessionId, isUnlinked }, 'a session was removed');
  }

  /**
   * @param deferred when the next attempt is due. Undefined if that could not be noted: the next sweep then tries
   * again.
   */
  removalFailed(
    { tenantId, sessionId }: SessionRef,
    err: unknown,
    deferred: DeferredRemoval | undefined,
  ): void {
    const next = deferred && {
      attempts: deferred.attempts,
      nextAttemptAt: new Date(deferred.nextAt).toISOString(),
    };
    this.#logger.warn({ tenantId, sessionId, err, ...next }, 'a session could not be removed yet');
  }

  /** Given up without a write to Redis: another worker has it, or is to take it as from a dead worker. */
  lost({ tenantId, sessionId, epoch }: Fence, reason: 'fenced' | 'lease-lost' | 'drain-timeout'): void {
    this.#logger.warn({ tenantId, sessionId, epoch, reason }, 'a session was lost');
  }
}
