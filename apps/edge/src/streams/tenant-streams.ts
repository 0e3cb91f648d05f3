import { WafleetError } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import type { EventChannel, EventLog, LoggedEvent } from '@wafleet/store';
import { type LostRange, TenantStream } from './tenant-stream.js';

/** A client that gets the events of its tenant. */
export interface StreamMember {
  /** Called if events of its tenant are no longer in the log, and this edge could not deliver them. */
  lost(range: LostRange): void;
}

interface TenantStreamsOptions {
  readonly channel: EventChannel;
  readonly log: Pick<EventLog, 'read' | 'position'>;
  /** Called with each event of each tenant that a member here belongs to, in the order of the tenant's log. */
  readonly deliver: (tenantId: string, event: LoggedEvent) => void;
  /** Called with the number of events that had to be read from the log because the channel did not bring them. */
  readonly onFilled: (events: number) => void;
  readonly logger: Logger;
  /** How long a tenant's events are still received after its last member left. Default: 30 s. */
  readonly lingerMs?: number;
  /** How long `ready` waits for Redis. Default: 5 s. */
  readonly readyWithinMs?: number;
  /**
   * How often the log is checked for events that the channel did not bring. Default: 5 s. They are found within three
   * times that.
   */
  readonly checkEveryMs?: number;
}

interface Feed {
  readonly stream: TenantStream;
  readonly members: Set<StreamMember>;
  /** Settles when the stream has begun; undefined while none was tried or the last try failed. */
  begun?: Promise<void> | undefined;
  lingering?: NodeJS.Timeout | undefined;
}

const LINGER_MS = 30_000;
const READY_WITHIN_MS = 5_000;
const CHECK_EVERY_MS = 5_000;

/**
 * The streams of the tenants that have a member on this edge; an edge pays nothing for the others. A stream lingers for
 * 30 s after its last member left, since clients that reconnect come back at once.
 */
export class TenantStreams {
  readonly #options: TenantStreamsOptions;
  readonly #feeds = new Map<string, Feed>();
  readonly #checking: NodeJS.Timeout;

  constructor(options: TenantStreamsOptions) {
    this.#options = options;
    this.#checking = setInterval(() => this.#checkAll(), options.checkEveryMs ?? CHECK_EVERY_MS);
  }

  /** Counts a member in. Each `enter` is followed by one `leave`. */
  enter(tenantId: string, member: StreamMember): void {
    const feed = this.#feeds.get(tenantId) ?? { stream: this.#streamOf(tenantId), members: new Set() };
    this.#feeds.set(tenantId, feed);
    feed.members.add(member);
    clearTimeout(feed.lingering);
    feed.lingering = undefined;
  }

  leave(tenantId: string, member: StreamMember): void {
    const feed = this.#feeds.get(tenantId);
    if (feed === undefined || !feed.members.delete(member) || feed.members.size > 0) return;
    feed.lingering = setTimeout(() => this.#end(tenantId), this.#options.lingerMs ?? LINGER_MS);
    feed.lingering.unref();
  }

  /**
   * The stream of a tenant that has a member, once every event published from now on will be delivered.
   * @throws {WafleetError} UNAVAILABLE if Redis does not answer in time; the next call tries or waits again.
   */
  async ready(tenantId: string): Promise<TenantStream> {
    const feed = this.#feeds.get(tenantId);
    if (feed === undefined) throw new Error(`tenant ${tenantId} has no member`);
    feed.begun ??= this.#begin(tenantId, feed.stream).catch((error: unknown) => {
      feed.begun = undefined;
      throw error;
    });
    // If Redis is down, the caller gets an error in time and may ask again.
    if (!(await withTimeout(feed.begun, this.#options.readyWithinMs ?? READY_WITHIN_MS))) {
      throw new WafleetError('UNAVAILABLE', 'Events cannot be received now. Try again shortly.');
    }
    return feed.stream;
  }

  /** Delivers what the channel did not bring while its connection was down. Call it when the connection is back. */
  resubscribe(): void {
    const { logger } = this.#options;
    for (const [tenantId, { begun, stream }] of this.#feeds) {
      if (begun === undefined) continue;
      this.#subscribe(tenantId, stream)
        .then(() => stream.catchUp())
        .catch((error: unknown) => logger.warn({ err: error, tenantId }, 'could not catch up with a log'));
    }
  }

  close(): void {
    clearInterval(this.#checking);
    for (const { lingering, stream } of this.#feeds.values()) {
      clearTimeout(lingering);
      stream.close();
    }
    this.#feeds.clear();
  }

  #streamOf(tenantId: string): TenantStream {
    const { deliver, log, onFilled, logger } = this.#options;
    return new TenantStream({
      ...{ tenantId, log, onFilled, logger },
      deliver: (event) => deliver(tenantId, event),
      onLost: (range) => {
        logger.error({ tenantId, ...range }, 'events are gone from the log before they were delivered');
        for (const member of this.#feeds.get(tenantId)?.members ?? []) member.lost(range);
      },
    });
  }

  async #begin(tenantId: string, stream: TenantStream): Promise<void> {
    await this.#subscribe(tenantId, stream);
    await stream.begin();
  }

  #subscribe(tenantId: string, stream: TenantStream): Promise<void> {
    return this.#options.channel.subscribe(tenantId, (event) => stream.receive(event));
  }

  /** Finds missing events that no later event reveals, such as the last one before a silence. */
  #checkAll(): void {
    const { logger } = this.#options;
    for (const [tenantId, { stream }] of this.#feeds) {
      stream
        .check()
        .catch((error: unknown) => logger.debug({ err: error, tenantId }, 'could not check a stream'));
    }
  }

  #end(tenantId: string): void {
    const { channel, logger } = this.#options;
    this.#feeds.get(tenantId)?.stream.close();
    this.#feeds.delete(tenantId);
    channel
      .unsubscribe(tenantId)
      .catch((error: unknown) => logger.warn({ err: error, tenantId }, 'could not end a tenant’s feed'));
  }
}
