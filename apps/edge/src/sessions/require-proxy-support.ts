import { WafleetError } from '@wafleet/contract';
import type { WorkerRegistry } from '@wafleet/store';

/** When to try again: upgrades take minutes. */
const RETRY_AFTER_MS = 30_000;

/**
 * Refuses a proxy while a worker of an earlier release runs. The session could come to that worker, which would connect
 * without the proxy.
 * @param proxy the URL to set; nothing is required of undefined and null.
 * @throws {WafleetError} NOT_SUPPORTED
 */
export async function requireProxySupport(
  workers: Pick<WorkerRegistry, 'haveAll'>,
  proxy: string | null | undefined,
): Promise<void> {
  if (typeof proxy !== 'string' || (await workers.haveAll('proxies'))) return;
  const message = 'A worker of the cluster runs an earlier release, which would not use the proxy.';
  throw new WafleetError('NOT_SUPPORTED', message, { retryAfterMs: RETRY_AFTER_MS });
}
