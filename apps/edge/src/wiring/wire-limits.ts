import { SocketCounts } from '@wafleet/store';
import { CallLine } from '../limits/call-line.js';
import { ClientAddresses, wideNetworks } from '../limits/client-address.js';
import { ConnectionLimits } from '../limits/connection-limits.js';
import { connectionBudget } from '../limits/descriptor-limit.js';
import { FairPace } from '../limits/fair-pace.js';
import { OpenConnections } from '../limits/open-connections.js';
import { Turns } from '../limits/turns.js';
import type { EdgeOptions } from './edge-options.js';
import type { EdgeCounters } from './metrics.js';
import type { EdgeStore } from './wire-store.js';

/** What bounds the clients of an edge. */
export type EdgeLimits = ReturnType<typeof wireLimits>;

/** Sets the limits of clients up, and warns of settings that do not work as they look. */
export function wireLimits(
  { edgeId, clientLimits, logger }: EdgeOptions,
  { store, tally }: { readonly store: EdgeStore; readonly tally: EdgeCounters },
) {
  const onExceeded = tally.countLimited.bind(tally);
  const addresses = new ClientAddresses(clientLimits.trustedProxies, clientLimits.proxyHops);
  const wide = wideNetworks(clientLimits.trustedProxies);
  if (wide.length > 0) {
    logger.warn(
      { networks: wide },
      'TRUSTED_PROXIES trusts whole networks: everyone in there who reaches this edge directly can pretend to be any address',
    );
  }
  const budget = connectionBudget(clientLimits.connections);
  if (clientLimits.connections > budget.clients) {
    logger.warn(
      { wanted: clientLimits.connections, connections: budget.clients },
      'MAX_CONNECTIONS is above what the limit of open files allows; raise it (ulimit -n) to serve as many clients',
    );
  }
  const pace = new FairPace();
  const turns = new Turns({ pace });
  return {
    connectionLimits: new ConnectionLimits({
      ...{ limits: clientLimits, addresses, guesses: store.guesses, tenants: store.limits },
      counts: new SocketCounts(store.redis, { edgeId }),
      ...{ onExceeded, logger },
    }),
    /** How many connections this edge takes. */
    budget,
    open: new OpenConnections({
      addresses,
      total: budget.clients,
      perAddress: Math.min(clientLimits.connectionsPerAddress, Math.ceil(budget.clients / 2)),
      onExceeded,
    }),
    pace,
    turns,
    line: new CallLine({ limits: clientLimits, turns, onExceeded }),
  };
}
