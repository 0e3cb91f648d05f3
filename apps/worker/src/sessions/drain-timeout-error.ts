import type { SessionRef } from '@wafleet/store';

/** A worker ended before all of its sessions were handed over. Other workers take them like those of a dead worker. */
export class DrainTimeoutError extends Error {
  constructor(timeoutMs: number, left: readonly SessionRef[]) {
    const names = left.map(({ tenantId, sessionId }) => `${tenantId}/${sessionId}`).join(', ');
    super(`${left.length} sessions were not handed over within ${timeoutMs} ms: ${names}`);
    this.name = 'DrainTimeoutError';
  }
}
