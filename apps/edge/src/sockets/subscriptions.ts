import {
  parseSubscribeRequest,
  parseSubscription,
  SUBSCRIPTION_ERROR_EVENT,
  SUBSCRIPTION_LIMITS,
  WafleetError,
} from '@wafleet/contract';
import type { ResumeRecords, SessionDirectory } from '@wafleet/store';
import { authorizeSubscription } from '../access/authorize-subscription.js';
import { ping } from '../engine/packets.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { Turn, Turns } from '../limits/turns.js';
import { requireSessions } from '../sessions/require-sessions.js';
import type { StreamResources } from '../streams/event-stream.js';
import { SubscriptionSet } from '../streams/subscription-set.js';
import type { ClientConnection } from './client-connection.js';
import type { ClientProgress } from './client-progress.js';
import type { ConnectionTally } from './connection-tally.js';
import type { EventSocket } from './event-socket.js';
import type { Resumption } from './resumption.js';
import type { SocketStream } from './socket-stream.js';

/** What the subscriptions of all sockets of an edge share. */
export interface SubscriptionResources extends StreamResources {
  readonly records: ResumeRecords;
  readonly sessions: SessionDirectory;
  /** Where requests wait, together with those of other sockets and REST calls. */
  readonly turns: Turns;
  /** Counts refusals of clients. */
  readonly tally: Pick<ConnectionTally, 'countRefused'>;
}

interface SubscriptionsOptions {
  readonly socket: EventSocket;
  /** Closed if more requests wait than allowed. */
  readonly client: ClientConnection;
  readonly stream: SocketStream;
  readonly resumption: Resumption;
  readonly progress: ClientProgress;
  readonly resources: SubscriptionResources;
}

/** Maximum requests of one socket that wait for those before them. */
const MAX_WAITING = 500;
/** Maximum bytes of these requests together: a few of the largest possible. */
const MAX_WAITING_BYTES = 512 * 1024;

type Acknowledge = (ack: unknown) => void;

/**
 * Handles a socket's `subscribe` and `unsubscribe`, one after the other in the order they came. Each waits for its turn
 * among all requests to the edge. A failure is reported in the acknowledgement, or by the event `subscription.error` if
 * no acknowledgement was asked for. The connection stays open.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  #previous: Promise<void> = Promise.resolve();
  #waiting = 0;
  #waitingBytes = 0;
  /** Whether the client's record says that it is subscribed to something. */
  #isKept: boolean;
  /** The turn of the request under way. */
  #turn: Turn | undefined;
  #hasLeft = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#isKept = options.resumption.subscribed !== undefined;
  }

  /** Starts with what the client had before it reconnected, or with what its handshake asks for. Call it once. */
  serve(): void {
    const { socket, stream } = this.#options;
    const { auth } = socket.handshake;
    stream.hasNewRequest = () => this.#waiting > 1;
    this.#enqueue(() => this.#begin(auth));
    socket.on('subscribe', (...args: unknown[]) =>
      this.#serve(args, (request, ack) => this.#subscribe(request, ack)),
    );
    socket.on('unsubscribe', (...args: unknown[]) =>
      this.#serve(args, (request, ack) => this.#unsubscribe(request, ack)),
    );
  }

  /** Drops the requests that wait. Call it when the client is gone. */
  leave(): void {
    this.#hasLeft = true;
    this.#turn?.withdraw();
  }

  /**
   * Deletes what the client had, after the requests under way. Call it if the client left of its own accord: it does
   * not resume then.
   */
  discard(): void {
    const { resumption, resources } = this.#options;
    const { records, logger } = resources;
    this.#enqueue(async () => {
      if (!this.#isKept) return;
      try {
        await records.delete(resumption.ref);
      } catch (error) {
        logger.debug({ err: error }, 'could not delete the resume record of a client; it expires');
      }
    });
  }

  #enqueue(action: () => Promise<void>, bytes = 0): void {
    const { stream } = this.#options;
    this.#waiting += 1;
    this.#waitingBytes += bytes;
    this.#previous = this.#previous
      .then(action)
      // The next request continues what it interrupted. After the last request, it continues here.
      .then(() => (this.#waiting === 1 ? stream.resume() : undefined))
      .finally(() => {
        this.#waiting -= 1;
        this.#waitingBytes -= bytes;
      });
  }

  #serve(
    args: readonly unknown[],
    apply: (request: unknown, acknowledge: Acknowledge | undefined) => Promise<void>,
  ): void {
    const bytes = sizeOf(args);
    if (this.#waiting >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#options.client.close('TOO_MANY_FRAMES');
      return;
    }
    const last = args.at(-1);
    const acknowledge: Acknowledge | undefined = isAcknowledge(last) ? last : undefined;
    this.#enqueue(async () => {
      if (!(await this.#comeInTurn())) return;
      try {
        await apply(onlyArgument(acknowledge === undefined ? args : args.slice(0, -1)), acknowledge);
      } catch (error) {
        this.#refuse(error, acknowledge);
      }
    }, bytes);
    this.#options.stream.interrupt();
  }

  /** Resolves to true when the turn of a request has come, to false if the client leaves before. */
  async #comeInTurn(): Promise<boolean> {
    if (this.#hasLeft) return false;
    const { socket, resources } = this.#options;
    this.#turn = resources.turns.of(socket.data.identity);
    return this.#turn.come();
  }

  #refuse(error: unknown, acknowledge: Acknowledge | undefined): void {
    const { socket, resources } = this.#options;
    const known = toWafleetError(error, resources.logger);
    resources.tally.countRefused(known);
    const description = known.describe();
    if (acknowledge === undefined) socket.emit(SUBSCRIPTION_ERROR_EVENT, description);
    else acknowledge({ ok: false, error: description });
  }

  /** Restores what a client had before it reconnected, or subscribes to what its handshake asks for. */
  async #begin(auth: Readonly<Record<string, unknown>>): Promise<void> {
    const { socket, resumption, resources } = this.#options;
    const { events, sessions, since } = auth;
    const isSubscribing = resumption.subscribed !== undefined || events !== undefined;
    if (isSubscribing && !(await this.#comeInTurn())) return;
    try {
      if (resumption.subscribed !== undefined) await this.#resume(resumption.subscribed);
      else if (events !== undefined) {
        await this.#subscribe(
          {
            events,
            ...(sessions === undefined ? {} : { sessions }),
            ...(since === undefined ? {} : { since }),
          },
          undefined,
        );
      } else if (resumption.isForgotten) {
        throw subscriptionLost();
      }
    } catch (error) {
      this.#refuse(error, undefined);
      // The client reconnects by itself, and then reaches what is out of reach now.
      if (toWafleetError(error, resources.logger).retryable) socket.conn.close();
    }
  }

  async #resume(subscribed: NonNullable<Resumption['subscribed']>): Promise<void> {
    const { socket, stream, progress, resources } = this.#options;
    const { subscription, position, isIntroduced } = subscribed;
    const known = SubscriptionSet.parse(subscription, socket.data.identity.sessions);
    if (known === undefined) throw subscriptionLost();
    this.#isKept = !known.isEmpty;
    if (!this.#isKept) return;
    const started = await stream.subscribe(known, { since: position, isIntroduced: !isIntroduced });
    const isTold = !isIntroduced || started.continuation.recovered === false;
    const introduces = isTold && resources.snapshots.tellOf(known);
    if (introduces) progress.beginIntroduction();
    await started.proceed();
    if (introduces) progress.endIntroduction();
    // So that another loss does not bring all this again: the next regular ping may be far off.
    ping(socket.conn);
  }

  async #subscribe(input: unknown, acknowledge: Acknowledge | undefined): Promise<void> {
    const { socket, stream, progress, resources } = this.#options;
    const { snapshots, sessions: directory } = resources;
    const request = parseSubscribeRequest(input);
    const allowed = authorizeSubscription(socket.data.identity, request);
    if (request.sessions !== undefined) {
      await requireSessions(directory, socket.data.identity.tenantId, request.sessions);
    }
    const added = SubscriptionSet.of(allowed);
    requireRoom(stream.subscribed.union(added));
    const { since, isSinceSnapshot } = request;
    const started = await stream.subscribe(added, { since, isIntroduced: isSinceSnapshot });
    const isTold = since === undefined || isSinceSnapshot || started.continuation.recovered === false;
    const introduces = isTold && snapshots.tellOf(added);
    if (introduces) progress.beginIntroduction();
    await this.#save(stream.subscribed.union(added.startingAfter(started.start)));
    const { events, sessions, sessionsOfKey } = allowed;
    const named = sessions ?? (sessionsOfKey === undefined ? '*' : [...sessionsOfKey]);
    acknowledge?.({ ok: true, events, sessions: named, ...started.continuation });
    await started.proceed();
    if (!introduces) return;
    progress.endIntroduction();
    // So that a loss does not bring it again.
    ping(socket.conn);
  }

  async #unsubscribe(input: unknown, acknowledge: Acknowledge | undefined): Promise<void> {
    const subscription = parseSubscription(input);
    const { events, sessions = '*' } = subscription;
    await this.#options.stream.unsubscribe(subscription);
    await this.#save(this.#options.stream.subscribed);
    acknowledge?.({ ok: true, events, sessions });
  }

  async #save(subscription: SubscriptionSet): Promise<void> {
    const { socket, progress, resumption, resources } = this.#options;
    const { point } = progress;
    if (point === undefined) return;
    this.#isKept = !subscription.isEmpty;
    const { keyId } = socket.data.identity;
    await resources.records.save(resumption.ref, keyId, { subscription: subscription.toString(), ...point });
  }
}

function subscriptionLost(): WafleetError {
  return new WafleetError('SUBSCRIPTION_LOST', 'The subscriptions of this client are no longer known.');
}

function requireRoom(subscription: SubscriptionSet): void {
  const { size } = subscription;
  const limit = SUBSCRIPTION_LIMITS.perSocket;
  if (size <= limit) return;
  const message = `Events of sessions, one by one, would be ${size} subscriptions; ${limit} are allowed.`;
  throw new WafleetError('TOO_MANY_ITEMS', message, { field: 'sessions', limit });
}

/** Socket.IO passes a function if the client asked for an acknowledgement. Clients cannot send any other function. */
function isAcknowledge(value: unknown): value is Acknowledge {
  return typeof value === 'function';
}

/** Approximate bytes that a request takes while it waits. A frame may nest deeper than a recursion can go. */
function sizeOf(args: readonly unknown[]): number {
  const left: unknown[] = [...args];
  let bytes = 0;
  while (left.length > 0) {
    const value = left.pop();
    bytes += 8;
    if (typeof value === 'string') bytes += value.length;
    else if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        bytes += name.length;
        left.push(inner);
      }
    }
  }
  return bytes;
}

function onlyArgument(args: readonly unknown[]): unknown {
  if (args.length !== 1) {
    throw new WafleetError(
      'VALIDATION_FAILED',
      `Expected one argument and an optional acknowledgement; got ${args.length} arguments.`,
    );
  }
  return args[0];
}
