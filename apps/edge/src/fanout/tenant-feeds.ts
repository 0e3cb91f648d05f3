import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { EventChannel, LoggedEvent } from '@wafleet/store';

interface TenantFeedsOptions {
  readonly channel: EventChannel;
  /** Is given each event of each tenant that a socket here belongs to, in the order of the tenant's log. */
  readonly deliver: (tenantId: string, event: LoggedEvent) => void;
  readonly logger: Logger;
  /** How long a tenant's events are still received after its last socket left; 30 s unless given. */
  readonly lingerMs?: number;
  /** How long `ready` waits for Redis to confirm; 5 s unless given. */
  readonly confirmWithinMs?: number;
}

interface Feed {
  sockets: number;
  /** Settles when Redis has confirmed the subscription; undefined while none was tried or the last try failed. */
  subscribed?: Promise<void> | undefined;
  lingering?: NodeJS.Timeout | undefined;
}

const LINGER_MS = 30_000;
const CONFIRM_WITHIN_MS = 5_000;

/**
 * Receives the events of those tenants that have a socket on this edge, so that an edge pays nothing for the
 * others. A feed lingers for 30 s after its last socket, since clients that reconnect come back at once.
 */
export class TenantFeeds {
  readonly #options: TenantFeedsOptions;
  readonly #feeds = new Map<string, Feed>();

  constructor(options: TenantFeedsOptions) {
    this.#options = options;
  }

  /** Counts in a socket of the tenant. Each `enter` is followed by one `leave`. */
  enter(tenantId: string): void {
    const feed = this.#feeds.get(tenantId) ?? { sockets: 0 };
    this.#feeds.set(tenantId, feed);
    feed.sockets += 1;
    clearTimeout(feed.lingering);
    feed.lingering = undefined;
  }

  leave(tenantId: string): void {
    const feed = this.#feeds.get(tenantId);
    if (feed === undefined) return;
    feed.sockets -= 1;
    if (feed.sockets > 0) return;
    feed.lingering = setTimeout(() => this.#end(tenantId), this.#options.lingerMs ?? LINGER_MS);
    feed.lingering.unref();
  }

  /**
   * Resolves once every event that the tenant's workers publish from now on reaches this edge.
   * @throws {WafleetError} UNAVAILABLE when Redis does not confirm in time; the next call tries or waits again.
   */
  async ready(tenantId: string): Promise<void> {
    const feed = this.#feeds.get(tenantId);
    if (feed === undefined) throw new Error(`No socket of tenant ${tenantId} is counted in.`);
    feed.subscribed ??= this.#subscribe(tenantId).catch((error: unknown) => {
      feed.subscribed = undefined;
      throw error;
    });
    await withinTime(feed.subscribed, this.#options.confirmWithinMs ?? CONFIRM_WITHIN_MS);
  }

  close(): void {
    for (const feed of this.#feeds.values()) clearTimeout(feed.lingering);
    this.#feeds.clear();
  }

  async #subscribe(tenantId: string): Promise<void> {
    const { channel, deliver } = this.#options;
    await channel.subscribe(tenantId, (event) => deliver(tenantId, event));
  }

  #end(tenantId: string): void {
    const { channel, logger } = this.#options;
    this.#feeds.delete(tenantId);
    channel
      .unsubscribe(tenantId)
      .catch((error: unknown) => logger.warn({ err: error, tenantId }, 'could not end a tenant’s feed'));
  }
}

/** Redis being down makes a subscription wait; its caller is told in time and may ask again. */
async function withinTime(subscribed: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new WafleetError('UNAVAILABLE', 'Events cannot be received now. Try again shortly.'));
    }, timeoutMs);
  });
  try {
    await Promise.race([subscribed, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
