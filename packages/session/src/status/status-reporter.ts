import { type SessionStatus, WafleetError } from '@wafleet/contract';
import type { Fence, SessionDirectory, StatusUpdate } from '@wafleet/store';
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
}

/** Reports a session's status: first in the directory, where it can be queried, then in `connection.update`. */
export class StatusReporter {
  readonly #fence: Fence;
  readonly #directory: SessionDirectory;
  readonly #outbox: Outbox;
  #condition: SessionCondition = { status: 'queued', reason: undefined };
  #waiting: (() => void)[] = [];

  constructor(options: { fence: Fence; directory: SessionDirectory; outbox: Outbox }) {
    this.#fence = options.fence;
    this.#directory = options.directory;
    this.#outbox = options.outbox;
  }

  get status(): SessionStatus {
    return this.#condition.status;
  }

  /** The status with its reason, and since when. */
  get condition(): SessionCondition {
    return this.#condition;
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
    this.#write({ status, ...(reason === undefined ? {} : { reason }) });
  }

  /** Changes the status. Without a change it is reported only if `occasion` has an update or a cause. */
  set(status: SessionStatus, reason: string | undefined, occasion: Occasion = {}): void {
    const { update, cause, phone, device } = occasion;
    const isSame = status === this.#condition.status && reason === this.#condition.reason;
    if (isSame && update === undefined && cause === undefined) return;
    if (!isSame || phone !== undefined) {
      const { since = new Date().toISOString() } = status === this.#condition.status ? this.#condition : {};
      this.#condition = { status, reason, since };
      for (const resolve of this.#waiting.splice(0)) resolve();
      const change = {
        status,
        ...(reason === undefined ? {} : { reason }),
        ...(phone === undefined ? {} : { phone }),
        ...(device === undefined ? {} : { device }),
      };
      this.#write(change);
    }
    this.tell(occasion);
  }

  #write(change: StatusUpdate): void {
    this.#outbox.run(() => this.#directory.setStatus(this.#fence, change));
  }

  /** Publishes Baileys' update of the connection, with the current status. */
  tell({ update = {}, cause }: Occasion): void {
    this.#outbox.publish([mapConnection(update, this.#condition, cause)]);
  }
}
