import {
  connectionOf,
  type EventName,
  type EventPosition,
  formatEventId,
  type UnpublishedPayload,
} from '@wafleet/contract';
import type { LinkOffers, LoggedEvent, SessionPages, SessionRecord, WorkerRegistry } from '@wafleet/store';
import { linkOfSession } from '../sessions/link-of-session.js';
import { hasLivingOwner } from '../sessions/owner-liveness.js';
import type { SubscriptionSet } from './subscription-set.js';

/** A state as an event. Its `eventId` is that of the position, with a suffix of its own. */
interface Snapshot extends LoggedEvent {
  readonly eventId: string;
}

/** The states of some sessions. */
interface SnapshotPart {
  readonly events: readonly Snapshot[];
  /** Cost for Redis, in bytes of a log. */
  readonly cost: number;
}

const SESSIONS_A_PART = 100;
/** Approximate cost for Redis of reading a session, in bytes of a log. */
const SESSION_COST_BYTES = 2_000;

interface SnapshotResources {
  readonly pages: SessionPages;
  readonly offers: LinkOffers;
  readonly workers: WorkerRegistry;
}

/** The events that carry a lasting state, in the order in which they are sent. */
const REPORTED = [
  'connection.update',
  'auth.qr',
  'auth.pairing-code',
] as const satisfies readonly EventName[];

type Reported = (typeof REPORTED)[number];
type Fields<N extends Reported> = Omit<UnpublishedPayload<N>, 'sessionId' | 'timestamp' | 'snapshot'>;

/**
 * The current state of a tenant's sessions as events, for a client that subscribes to changes and must not wait for the
 * next one to learn it. They carry `snapshot: true`, are not in the log, and have ids of their own at the given
 * position.
 */
export class Snapshots {
  readonly #resources: SnapshotResources;

  constructor(resources: SnapshotResources) {
    this.#resources = resources;
  }

  /** Whether a subscription covers any states, if there are sessions. */
  tellOf(subscription: SubscriptionSet): boolean {
    return subscription.hasAnyOf(REPORTED);
  }

  /**
   * Reads the states that a subscription covers, for existing sessions in the order of their creation, in parts. Each
   * part reads SESSIONS_A_PART sessions, when it is asked for. QR codes and pairing codes are included only while
   * WhatsApp would take them.
   */
  async *read(
    tenantId: string,
    subscription: SubscriptionSet,
    at: EventPosition,
  ): AsyncGenerator<SnapshotPart, void, void> {
    if (!this.tellOf(subscription)) return;
    const only = subscription.sessionsOf(REPORTED);
    let number = 0;
    for await (const records of this.#resources.pages.pages(tenantId, { limit: SESSIONS_A_PART, only })) {
      const reported = await Promise.all(records.map((record) => this.#tell(record, subscription)));
      const timestamp = new Date().toISOString();
      const events = reported.flat().map(({ event, sessionId, fields }) => {
        number += 1;
        const eventId = `${formatEventId(at)}~${number.toString(36)}`;
        const body = JSON.stringify({ eventId, sessionId, timestamp, ...fields, snapshot: true });
        return { event, sessionId, eventId, position: at, body: Buffer.from(body) };
      });
      yield { events, cost: records.length * SESSION_COST_BYTES };
    }
  }

  async #tell(record: SessionRecord, subscription: SubscriptionSet) {
    const { sessionId } = record;
    const reported: { event: Reported; sessionId: string; fields: Fields<Reported> }[] = [];
    if (subscription.has(sessionId, 'connection.update')) {
      reported.push({ event: 'connection.update', sessionId, fields: conditionOf(record) });
    }
    const isLinkable = record.status === 'awaiting_link';
    if (isLinkable && subscription.has(sessionId, 'auth.qr')) {
      const fields = await this.#qr(record);
      if (fields !== undefined) reported.push({ event: 'auth.qr', sessionId, fields });
    }
    if (isLinkable && subscription.has(sessionId, 'auth.pairing-code')) {
      const fields = await this.#pairingCode(record);
      if (fields !== undefined) reported.push({ event: 'auth.pairing-code', sessionId, fields });
    }
    return reported;
  }

  async #qr(record: SessionRecord): Promise<Fields<'auth.qr'> | undefined> {
    const { offers, workers } = this.#resources;
    const offer = await offers.getQr(record);
    if (offer === undefined || !(await hasLivingOwner(record, workers))) return undefined;
    return { qr: offer.qr, expiresAt: new Date(offer.expiresAt).toISOString() };
  }

  async #pairingCode(record: SessionRecord): Promise<Fields<'auth.pairing-code'> | undefined> {
    const { offers, workers } = this.#resources;
    const offer = await offers.getPairingCode(record);
    if (offer === undefined || !(await hasLivingOwner(record, workers))) return undefined;
    const { code, phone, expiresAt } = offer;
    return { code, phone, expiresAt: new Date(expiresAt).toISOString() };
  }
}

function conditionOf(record: SessionRecord): Fields<'connection.update'> {
  const { status, reason, since } = record;
  const link = linkOfSession(record);
  return {
    connection: connectionOf(status),
    status,
    ...(reason === undefined ? {} : { reason }),
    since: new Date(since).toISOString(),
    ...(link === undefined ? {} : { link }),
  };
}
