import { type Cluster, type Edge, LoadBalancer, type TestTenant } from '@wafleet/testkit';
import { SequenceClient } from './sequence-client.js';

/** A client and its own load balancer. */
interface BalancedClient {
  readonly client: SequenceClient;
  readonly balancer: LoadBalancer<Edge>;
}

/**
 * The two ways in which JavaScript clients connect. Socket.IO's defaults begin with HTTP long-polling and so need a
 * balancer with affinity. WebSocket alone works with any balancer.
 */
export class BalancedClients {
  readonly clients: readonly SequenceClient[];
  readonly #all: readonly BalancedClient[];

  static async start(cluster: Cluster, { apiKey }: TestTenant): Promise<BalancedClients> {
    const start = async (affinity: boolean, options: object): Promise<BalancedClient> => {
      const balancer = await LoadBalancer.open(() => cluster.edges, { affinity });
      const client = await SequenceClient.start({ url: balancer.url, apiKey, options });
      return { balancer, client };
    };
    return new BalancedClients([await start(true, {}), await start(false, { transports: ['websocket'] })]);
  }

  private constructor(all: readonly BalancedClient[]) {
    this.#all = all;
    this.clients = all.map(({ client }) => client);
  }

  /** The edges that the clients are connected to. */
  get edges(): Edge[] {
    return [...new Set(this.#all.map(({ balancer }) => balancer.latest))];
  }

  async close(): Promise<void> {
    for (const { client, balancer } of this.#all) {
      client.close();
      await balancer.close();
    }
  }
}
