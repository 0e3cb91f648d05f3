import type { AppProcess, Cluster } from '@wafleet/testkit';
import { afterEach, test } from 'vitest';
import { NetworkNamespace } from '../support/network-namespace.js';
import { Takeover } from '../support/takeover.js';

/** The host of a worker vanishes from the network. No connection is closed, so only the lease shows its death. */
const SESSIONS = Number(process.env.SCENARIO_SESSIONS ?? 50);

const whyNot = NetworkNamespace.whyNot();
if (whyNot !== undefined) process.stdout.write(`[worker-host-vanishes] skipped: ${whyNot}\n`);

let takeover: Takeover | undefined;
let namespace: NetworkNamespace | undefined;

afterEach(async () => {
  await takeover?.end();
  namespace?.remove();
});

test.skipIf(whyNot !== undefined)(
  'the sessions of a vanished host reopen on another one once its lease has run out',
  async () => {
    const host = new NetworkNamespace();
    namespace = host;
    takeover = await Takeover.prepare({
      scenario: 'worker-host-vanishes',
      sessions: SESSIONS,
      cluster: { simulator: { host: host.hostAddress } },
      startDoomed: (cluster) => startOn(host, cluster),
    });
    await takeover.of(() => host.cut());
    await takeover.reopened({ firstWithinMs: 60_000, allWithinMs: 90_000 });
    // Its host and its connections still exist. Now it learns that other workers own its sessions.
    host.mend();
    const { length } = takeover.sessions;
    await takeover.stepsDown(({ lost }) => lost === length);
    await takeover.conclude({ conflictsPerSession: 1 });
  },
);

/** Starts a worker on that host. Makes Redis listen at this machine's end of the cable, as the simulator does. */
async function startOn(host: NetworkNamespace, cluster: Cluster): Promise<AppProcess> {
  await cluster.redis.command('CONFIG', 'SET', 'protected-mode', 'no');
  await cluster.redis.command('CONFIG', 'SET', 'bind', `127.0.0.1 ${host.hostAddress}`);
  const environment = { HOST: host.address, REDIS_URL: `redis://${host.hostAddress}:${cluster.redis.port}` };
  return cluster.addWorker(environment, host.launcher);
}
