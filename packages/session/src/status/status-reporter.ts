import { type LinkProgress, type SessionStatus, WafleetError } from '@wafleet/contract';
import type { Fence, Pause, SessionDirectory, StatusUpdate } from '@wafleet/store';
import type { ConnectionState } from '@whiskeysockets/baileys';
import { type DisconnectCause, mapConnection } from '../mapping/connection.js';
import type { SessionCondition } from '../mapping/mapped-event.js';
import type { Outbox } from '../outbox/outbox.js';

/** Data for a change of status: Baileys' own update, why a connection ended, the account's number. */
export interface Occasion {
  readonly update?: Partial<ConnectionState>;
  readonly cause?: DisconnectCause;
  /** Null removes the number. */
  readonly phone?: string | null | undefined;
  /** The linked device, beside its number. */
  readonly device?: string | undefined;
  /** Whether the session begins new chats. */
  readonly pause?: Pause;
}

/** How far linking has come: a new object after each change, null if no link goes on, undefined if that is not known. */
interface LinkState {
  readonly current: LinkProgress | null | undefined;
}

/** Reports a session's status: first in the directory, where it can be queried, then in `connection.update`. */
export class StatusReporter {
  readonly #fence: Fence;
  readonly #directory: SessionDirectory;
  readonly #outbox: Outbox;
  readonly #linkProgress: LinkState;
  #condition: SessionCondition = { status: 'queued', reason: undefined };
  #reportedLink: LinkProgress | undefined;
  #waiting: (() => void)[] = [];

  constructor(options: {
    fence: Fence;
    directory: SessionDirectory;
    outbox: Outbox;
    /** Reported together with the status. */
    linkProgress: LinkState;
  }) {
    this.#fence = options.fence;
    this.#directory = options.directory;
    this.#outbox = options.outbox;
    this.#linkProgress = options.linkProgress;
  }

  get status(): SessionStatus {
    return this.#condition.status;
  }

  /** The status with its reason, since when, and how far the link has come. */
  get condition(): SessionCondition {
    const { current } = this.#linkProgress;
    return { ...this.#condition, ...(current ? { link: current } : {}) };
  }

  /** Returns the error for a command that needs an open session. */
  notOpen(): WafleetError {
    const { status } = this.#condition;
    const state = status === 'open' ? 'about to close' : status.replace('_', ' ');
    return new WafleetError('SESSION_NOT_OPEN', `The session is ${state}, not open.`, { status });
  }

  /** Resolves at the next change of the status. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Writes the current status into the directory again, whatever is stored there. */
  restate(): void {
    const { status, reason } = this.#condition;
    this.#write({ status, reason });
  }

  /**
   * Changes the status, and reports it together with the progress of the link. If neither has changed, they are reported
   * only if `occasion` has an update or a cause. The end of a link alone is not a change.
   */
  set(status: SessionStatus, reason: string | undefined, occasion: Occasion = {}): void {
    const { update, cause, phone, device } = occasion;
    const link = this.#linkProgress.current ?? undefined;
    const isSame = status === this.#condition.status && reason === this.#condition.reason;
    const isSameLink = link === undefined || link === this.#reportedLink;
    if (isSame && isSameLink && update === undefined && cause === undefined) return;
    if (!isSame || phone !== undefined) {
      const { since = new Date().toISOString() } = status === this.#condition.status ? this.#condition : {};
      this.#condition = { status, reason, since };
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
    this.#reportedLink = link;
    if (!isSame || !isSameLink || phone !== undefined) this.#write({ status, reason, phone, device });
    this.tell(occasion);
  }

  /** Reports the status as it is, with the progress of the link if that has changed. */
  report(occasion: Occasion = {}): void {
    this.set(this.#condition.status, this.#condition.reason, occasion);
  }

  #write(change: StatusUpdate): void {
    const { current } = this.#linkProgress;
    // Clients learn once that a link is complete; that is not stored.
    const link = current?.step === 'open' ? null : current;
    this.#outbox.run(() => this.#directory.setStatus(this.#fence, { ...change, link }));
  }

  /** Publishes Baileys' update of the connection, with the current status. */
  tell({ update = {}, cause, pause }: Occasion): void {
    this.#outbox.publish([mapConnection(update, this.condition, { cause, pause })]);
  }
}
