import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import { type SessionEnd, WhatsAppSession, type WhatsAppSessionOptions } from '@wafleet/session';
import {
  AuthStateStore,
  type Cipher,
  deleteAuthState,
  EventLog,
  type Fence,
  LinkOffers,
  NotOwnerError,
  Ownership,
  RecentMessages,
  type RedisConnection,
  SessionDirectory,
  type SessionRef,
} from '@wafleet/store';
import { eachOf } from './each-of.js';

/** Sessions that are handed over at the same time. */
const DRAINED_AT_ONCE = 10;

export interface OwnedSessionsOptions {
  readonly redis: RedisConnection;
  readonly cipher: Cipher;
  /** The incarnation that claims. */
  readonly worker: string;
  readonly whatsapp: WhatsAppSessionOptions['whatsapp'];
  readonly capacity: number;
  readonly eventLogLength: number;
  readonly logger: Logger;
}

interface OwnedSession {
  readonly fence: Fence;
  readonly session: WhatsAppSession;
}

function keyOf({ tenantId, sessionId }: SessionRef): string {
  return `${tenantId}/${sessionId}`;
}

function noRoom(why: string): WafleetError {
  return new WafleetError('NO_WORKER', `The worker ${why}.`);
}

/** The sessions that a worker incarnation owns. Each one fails alone. */
export class OwnedSessions {
  readonly #options: OwnedSessionsOptions;
  readonly #ownership: Ownership;
  readonly #shared: Pick<
    WhatsAppSessionOptions['store'],
    'events' | 'directory' | 'offers' | 'recentMessages'
  >;
  readonly #owned = new Map<string, OwnedSession>();
  readonly #claiming = new Map<string, Promise<void>>();
  #takesNoMore = false;

  constructor(options: OwnedSessionsOptions) {
    const { redis, cipher, eventLogLength } = options;
    this.#options = options;
    this.#ownership = new Ownership(redis);
    this.#shared = {
      events: new EventLog(redis, { maxLength: eventLogLength }),
      directory: new SessionDirectory(redis),
      offers: new LinkOffers(redis),
      recentMessages: new RecentMessages({ redis, cipher }),
    };
  }

  /** How many sessions are here or about to be. */
  get count(): number {
    return this.#owned.size + this.#claiming.size;
  }

  /**
   * Claims a session and opens it; without effect when it is here already.
   * @param expectPrevious a worker whose death is known to whoever asks.
   * @throws {WafleetError} NO_WORKER when this worker takes no more sessions or another one owns it;
   * SESSION_NOT_FOUND.
   */
  assign(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const key = keyOf(ref);
    if (this.#owned.has(key)) return Promise.resolve();
    const running = this.#claiming.get(key);
    if (running !== undefined) return running;
    const claim = this.#claim(ref, expectPrevious).finally(() => this.#claiming.delete(key));
    this.#claiming.set(key, claim);
    return claim;
  }

  /** @throws {NotOwnerError} */
  require(ref: SessionRef): WhatsAppSession {
    return this.#find(ref).session;
  }

  /** Logs the session out at WhatsApp, wipes its keys and gives it up. @throws {NotOwnerError} */
  async unlink(ref: SessionRef): Promise<void> {
    const owned = this.#find(ref);
    await owned.session.unlink();
    await this.#giveUp(owned);
  }

  /** Ends the session so that another worker can take it. @throws {NotOwnerError} */
  async release(ref: SessionRef, reason: string): Promise<void> {
    const owned = this.#find(ref);
    await owned.session.stop({ reason });
    await this.#giveUp(owned);
  }

  /** Takes no more sessions and hands all over, those first that were idle the longest. */
  async drain(): Promise<void> {
    this.#takesNoMore = true;
    await Promise.allSettled(this.#claiming.values());
    const byActivity = [...this.#owned.values()].sort(
      (a, b) => a.session.lastActiveAt - b.session.lastActiveAt,
    );
    await eachOf(byActivity, DRAINED_AT_ONCE, async ({ fence }) => {
      try {
        await this.release(fence, 'drain');
      } catch (error) {
        if (error instanceof NotOwnerError) return;
        this.#options.logger.error({ err: error, ...fence }, 'a session could not be handed over');
      }
    });
  }

  /** Closes every socket at once and writes nothing more. */
  discardAll(): void {
    this.#takesNoMore = true;
    for (const { session } of this.#owned.values()) session.discard();
    this.#owned.clear();
  }

  #find(ref: SessionRef): OwnedSession {
    const owned = this.#owned.get(keyOf(ref));
    if (owned === undefined) throw new NotOwnerError(ref);
    return owned;
  }

  async #claim(ref: SessionRef, expectPrevious: string | undefined): Promise<void> {
    const { worker, capacity } = this.#options;
    if (this.#takesNoMore) throw noRoom('takes no more sessions');
    if (this.count >= capacity) throw noRoom('is full');
    const claim = await this.#ownership.claim(ref, { worker, expectPrevious });
    if ('refusedBy' in claim) throw noRoom(`is not the owner, ${claim.refusedBy.worker} is`);
    if (this.#takesNoMore) {
      await this.#ownership.release(claim.fence);
      throw noRoom('takes no more sessions');
    }
    this.#open(claim.fence);
  }

  #open(fence: Fence): void {
    const { redis, cipher, whatsapp, logger } = this.#options;
    const owned: OwnedSession = {
      fence,
      session: new WhatsAppSession({
        fence,
        store: {
          ...this.#shared,
          auth: new AuthStateStore({ redis, cipher, fence }),
          deleteAuth: () => deleteAuthState(redis, fence),
        },
        whatsapp,
        logger,
        onEnded: (end) => this.#onEnded(owned, end),
      }),
    };
    this.#owned.set(keyOf(fence), owned);
    void owned.session.start();
  }

  #onEnded(owned: OwnedSession, end: SessionEnd): void {
    const { tenantId, sessionId } = owned.fence;
    this.#options.logger.info({ tenant: tenantId, session: sessionId, end }, 'a session ended');
    if (end === 'fenced') {
      this.#forget(owned);
    } else {
      this.#giveUp(owned).catch((error: unknown) => {
        this.#options.logger.warn({ err: error, session: sessionId }, 'a session could not be released');
      });
    }
  }

  async #giveUp(owned: OwnedSession): Promise<void> {
    try {
      await this.#ownership.release(owned.fence);
    } finally {
      this.#forget(owned);
    }
  }

  #forget(owned: OwnedSession): void {
    const key = keyOf(owned.fence);
    // After a takeover and back the key may stand for a newer object.
    if (this.#owned.get(key) === owned) this.#owned.delete(key);
  }
}
