import type { Cluster, TestTenant } from '@wafleet/testkit';

/** The worker process that owns a session now. Throws if none does. */
export async function ownerOf(cluster: Cluster, { client }: TestTenant, sessionId: string) {
  const { worker } = await client.call('get-session', { params: { id: sessionId } });
  const owner = cluster.workers.find(({ logs }) => logs.some((line) => line.workerId === worker));
  if (worker === undefined || owner === undefined) throw new Error(`no worker that runs owns ${sessionId}`);
  return owner;
}
