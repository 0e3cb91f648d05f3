import type { Restrictions, SessionSettings } from '@wafleet/contract';
import { type Logger, withTimeout } from '@wafleet/runtime';
import { type Fence, FencedError, type Pause, type SendPauses, type SessionPacing } from '@wafleet/store';
import type { BaileysEventMap, WASocket } from '@whiskeysockets/baileys';
import type { ContactFinder } from '../contact-finder.js';
import { linkedAt } from './linked-at.js';
import { SeenChats } from './seen-chats.js';
import { SendPacing } from './send-pacing.js';
import { SendPause } from './send-pause.js';
import { WhatsAppLimits } from './whatsapp-limits.js';

interface RestrictionsOptions {
  readonly fence: Fence;
  readonly pacing: SessionPacing;
  readonly sendPauses: SendPauses;
  readonly inForce: { readonly settings: SessionSettings };
  readonly contacts: ContactFinder;
  readonly lifecycle: { end(end: 'fenced'): void };
  /** Publishes whether the session begins new chats. */
  readonly onPause: (pause: Pause) => void;
  readonly logger: Logger;
}

/** How long a refused sender waits to learn until when the account is locked, ms. */
const LOCK_ANSWER_MS = 2_000;

/** How much the account of a session may write, and what the session makes of it. */
export class SessionRestrictions {
  /** Asked before each message. */
  readonly sends: SendPacing;
  readonly #options: RestrictionsOptions;
  readonly #pause: SendPause;
  readonly #limits = new WhatsAppLimits();
  readonly #seenChats: SeenChats;

  constructor(options: RestrictionsOptions) {
    const { fence, pacing, sendPauses, inForce, contacts, onPause, logger } = options;
    this.#options = options;
    this.#pause = new SendPause({ fence, store: sendPauses, inForce, onChange: onPause });
    this.sends = new SendPacing({ fence, store: pacing, pause: this.#pause, inForce, contacts, logger });
    this.#seenChats = new SeenChats({ fence, store: pacing, isNeeded: () => this.sends.limitsChats, logger });
  }

  /**
   * Takes note of what a connection emits. Never throws. Returns whether an update of the connection is news: Baileys
   * emits the time lock after each question for it.
   */
  receive(events: Partial<BaileysEventMap>): boolean {
    this.#seenChats.receive(events);
    const update = events['connection.update'];
    // An earlier worker may have noted a lock: its end is news then. If it cannot be read now, the next call reads it.
    if (update?.connection !== undefined) this.#pause.load().catch(() => {});
    const lock = this.#limits.receive(events);
    if (update === undefined || lock === undefined) return true;
    const isNews = lock.isNew || (!lock.isActive && this.#pause.isTimeLocked);
    if (isNews || !lock.isActive) this.#noteTimeLock(lock);
    if (isNews) return true;
    return Object.entries(update).some(([name, value]) => name !== 'reachoutTimeLock' && value !== undefined);
  }

  /** @throws as `WhatsAppLimits.read` does. */
  async read(socket: WASocket): Promise<Restrictions> {
    const { fence, pacing, inForce } = this.#options;
    const policy = inForce.settings.pacing;
    const { timeLock, newChats } = await this.#limits.read(socket);
    await this.#pause.load();
    const used = await pacing.read(fence, { ...policy, linkedAt: linkedAt(socket.authState.creds) });
    const { remainingMs, until, refusals, reason } = this.#pause.current;
    return {
      timeLock,
      newChats,
      pausedUntil: remainingMs > 0 ? new Date(until).toISOString() : null,
      pauseReason: remainingMs > 0 ? (reason ?? null) : null,
      refusals,
      pacing: {
        sends: budget(policy.sendsPerMinute, used.sends),
        newChats: budget(used.newChatLimit, used.newChats),
      },
    };
  }

  /**
   * When the time lock of the account ends; undefined if WhatsApp names none, or does not answer in 2 s. Never rejects.
   */
  async lockedUntil(socket: WASocket): Promise<string | undefined> {
    const asked = this.#limits.read(socket, { isFresh: true }).catch(() => undefined);
    if (!(await withTimeout(asked, LOCK_ANSWER_MS))) return undefined;
    return (await asked)?.timeLock.until ?? undefined;
  }

  /** Lets the session begin new chats again. @throws {FencedError} */
  async liftPause(): Promise<void> {
    await this.#pause.load();
    await this.#pause.lift();
  }

  #noteTimeLock(lock: { readonly isActive: boolean; readonly until: Date | undefined }): void {
    const { lifecycle, logger } = this.#options;
    this.#pause.timeLock(lock).catch((error: unknown) => {
      // When WhatsApp says it again, it is noted.
      this.#limits.forgetLock();
      if (error instanceof FencedError) lifecycle.end('fenced');
      else logger.warn({ err: error }, 'a time lock of WhatsApp could not be noted');
    });
  }
}

function budget(limit: number, used: number): { limit: number; left: number } | null {
  return limit === 0 ? null : { limit, left: Math.max(0, limit - used) };
}
