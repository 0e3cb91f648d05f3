import {
  ALL_SESSIONS,
  eventRoom,
  isRoomOfEvent,
  parseSubscription,
  SUBSCRIPTION_ERROR_EVENT,
  type Subscription,
  type SubscriptionAck,
  WafleetError,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { SessionDirectory } from '@wafleet/store';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { TenantFeeds } from '../fanout/tenant-feeds.js';
import type { EventSocket } from './socket-server.js';

interface SubscriptionResources {
  readonly sessions: SessionDirectory;
  readonly feeds: TenantFeeds;
  readonly logger: Logger;
}

type Acknowledge = (ack: SubscriptionAck) => void;
type Apply = (
  socket: EventSocket,
  subscription: Subscription,
  resources: SubscriptionResources,
) => Promise<void>;

/**
 * Serves a socket's `subscribe` and `unsubscribe`, one after the other in the order they came. What fails is told
 * by the acknowledgement, or by the event `subscription.error` where none was asked for; the connection lives on.
 */
export function serveSubscriptions(socket: EventSocket, resources: SubscriptionResources): void {
  let previous: Promise<void> = Promise.resolve();
  const serve =
    (apply: Apply) =>
    (...args: unknown[]) => {
      previous = previous.then(() => answer(socket, args, apply, resources));
    };
  socket.on('subscribe', serve(subscribe));
  socket.on('unsubscribe', serve(unsubscribe));
}

async function answer(
  socket: EventSocket,
  args: readonly unknown[],
  apply: Apply,
  resources: SubscriptionResources,
): Promise<void> {
  const last = args.at(-1);
  const acknowledge: Acknowledge | undefined = isAcknowledge(last) ? last : undefined;
  try {
    const subscription = readRequest(acknowledge === undefined ? args : args.slice(0, -1));
    await apply(socket, subscription, resources);
    const { events, sessions = '*' } = subscription;
    acknowledge?.({ ok: true, events, sessions });
  } catch (error) {
    const description = toWafleetError(error, resources.logger).describe();
    if (acknowledge === undefined) socket.emit(SUBSCRIPTION_ERROR_EVENT, description);
    else acknowledge({ ok: false, error: description });
  }
}

/** Socket.IO gives a function where the client asked for an acknowledgement; clients cannot send any other. */
function isAcknowledge(value: unknown): value is Acknowledge {
  return typeof value === 'function';
}

function readRequest(args: readonly unknown[]): Subscription {
  if (args.length !== 1) {
    throw new WafleetError(
      'VALIDATION_FAILED',
      `Expected one argument and an optional acknowledgement; got ${args.length} arguments.`,
    );
  }
  return parseSubscription(args[0]);
}

/**
 * Joins the rooms once the tenant's events are known to reach this edge, so that none that is published after the
 * acknowledgement is missed.
 */
const subscribe: Apply = async (socket, subscription, { sessions, feeds }) => {
  const { tenantId } = socket.data.identity;
  if (subscription.sessions !== undefined) {
    await requireSessions(tenantId, subscription.sessions, sessions);
  }
  await feeds.ready(tenantId);
  // A socket that left meanwhile would be kept in the rooms for ever.
  if (socket.connected) await socket.join(roomsOf(tenantId, subscription));
};

/**
 * Leaves the rooms. Without `sessions` the events end for all sessions, subscribed by name or by wildcard; with
 * `sessions` they end for those that were subscribed by name.
 */
const unsubscribe: Apply = async (socket, subscription) => {
  const { tenantId } = socket.data.identity;
  const ending =
    subscription.sessions === undefined
      ? [...socket.rooms].filter((room) =>
          subscription.events.some((event) => isRoomOfEvent(room, tenantId, event)),
        )
      : roomsOf(tenantId, subscription);
  for (const room of ending) await socket.leave(room);
};

function roomsOf(tenantId: string, { events, sessions = [ALL_SESSIONS] }: Subscription): string[] {
  return sessions.flatMap((sessionId) => events.map((event) => eventRoom(tenantId, sessionId, event)));
}

/** Unknown sessions and those of other tenants get the same answer. */
async function requireSessions(
  tenantId: string,
  wanted: readonly string[],
  sessions: SessionDirectory,
): Promise<void> {
  const existing = await sessions.exist(tenantId, wanted);
  const missing = wanted.filter((sessionId) => !existing.has(sessionId));
  if (missing.length > 0) {
    throw new WafleetError('SESSION_NOT_FOUND', `There is no session ${missing.slice(0, 10).join(', ')}.`, {
      sessions: missing,
    });
  }
}
