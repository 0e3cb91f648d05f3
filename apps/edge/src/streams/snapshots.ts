import {
  connectionOf,
  type EventName,
  type EventPosition,
  formatEventId,
  type UnpublishedPayload,
} from '@wafleet/contract';
import type { LinkOffers, LoggedEvent, SessionPages, SessionRecord, WorkerRegistry } from '@wafleet/store';
import { hasLivingOwner } from '../sessions/owner-liveness.js';
import type { SubscriptionSet } from './subscription-set.js';

/** A state as an event. Its `eventId` is that of the position, with a suffix of its own. */
interface Snapshot extends LoggedEvent {
  readonly eventId: string;
}

/** The states of some sessions. */
interface SnapshotPart {
  readonly events: readonly Snapshot[];
  /** What it costs Redis, in bytes of a log. */
  readonly cost: number;
}

const SESSIONS_A_PART = 100;
/** What it costs Redis to read a session, in bytes of a log, about. */
const SESSION_COST_BYTES = 2_000;

interface SnapshotResources {
  readonly pages: SessionPages;
  readonly offers: LinkOffers;
  readonly workers: WorkerRegistry;
}

/** The events that tell a state which lasts, in the order in which they are told. */
const TOLD = ['connection.update', 'auth.qr', 'auth.pairing-code'] as const satisfies readonly EventName[];

type Told = (typeof TOLD)[number];
type Fields<N extends Told> = Omit<UnpublishedPayload<N>, 'sessionId' | 'timestamp' | 'snapshot'>;

/**
 * How a tenant's sessions are now, as events: for a client that subscribes to changes and must not wait for the next one
 * to learn it. They carry `snapshot: true`, stand in no log, and have ids of their own at the position given.
 */
export class Snapshots {
  readonly #resources: SnapshotResources;

  constructor(resources: SnapshotResources) {
    this.#resources = resources;
  }

  /** Whether there are states that a subscription covers, if there are sessions. */
  tellOf(subscription: SubscriptionSet): boolean {
    return subscription.hasAnyOf(TOLD);
  }

  /**
   * The states that a subscription covers, of those sessions that exist, in the order in which they were made, in parts:
   * so many sessions are read when the next part is asked for. QR codes and pairing codes only while WhatsApp would take
   * them.
   */
  async *read(
    tenantId: string,
    subscription: SubscriptionSet,
    at: EventPosition,
  ): AsyncGenerator<SnapshotPart, void, void> {
    if (!this.tellOf(subscription)) return;
    const only = subscription.sessionsOf(TOLD);
    let number = 0;
    for await (const records of this.#resources.pages.pages(tenantId, { limit: SESSIONS_A_PART, only })) {
      const told = await Promise.all(records.map((record) => this.#tell(record, subscription)));
      const timestamp = new Date().toISOString();
      const events = told.flat().map(({ event, sessionId, fields }) => {
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
    const told: { event: Told; sessionId: string; fields: Fields<Told> }[] = [];
    if (subscription.has(sessionId, 'connection.update')) {
      told.push({ event: 'connection.update', sessionId, fields: conditionOf(record) });
    }
    const isLinkable = record.status === 'awaiting_link';
    if (isLinkable && subscription.has(sessionId, 'auth.qr')) {
      const fields = await this.#qr(record);
      if (fields !== undefined) told.push({ event: 'auth.qr', sessionId, fields });
    }
    if (isLinkable && subscription.has(sessionId, 'auth.pairing-code')) {
      const fields = await this.#pairingCode(record);
      if (fields !== undefined) told.push({ event: 'auth.pairing-code', sessionId, fields });
    }
    return told;
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

function conditionOf({ status, reason, since }: SessionRecord): Fields<'connection.update'> {
  return {
    connection: connectionOf(status),
    status,
    ...(reason === undefined ? {} : { reason }),
    since: new Date(since).toISOString(),
  };
}
