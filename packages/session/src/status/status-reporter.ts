import { type SessionStatus, WafleetError } from '@wafleet/contract';
import type { Fence, SessionDirectory, StatusUpdate } from '@wafleet/store';
import type { ConnectionState } from '@whiskeysockets/baileys';
import type { Outbox } from '../events/outbox.js';
import { type DisconnectCause, mapConnection } from '../mapping/connection.js';
import type { SessionCondition } from '../mapping/mapped-event.js';

/** What comes with a change of status: Baileys' own update, why a connection ended, the account's number. */
export interface Occasion {
  readonly update?: Partial<ConnectionState>;
  readonly cause?: DisconnectCause;
  /** Null removes the number. */
  readonly phone?: string | null | undefined;
}

/** A session's status: in the directory, for whoever asks, and in `connection.update`, in this order. */
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

  /** What a command is refused with that needs an open session. */
  notOpen(): WafleetError {
    const { status } = this.#condition;
    const state = status === 'open' ? 'about to close' : status.replace('_', ' ');
    return new WafleetError('SESSION_NOT_OPEN', `The session is ${state}, not open.`, { status });
  }

  /** Resolves at the next change of the status. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Writes the status into the directory as it is, whatever stands there. */
  restate(): void {
    const { status, reason } = this.#condition;
    this.#write({ status, ...(reason === undefined ? {} : { reason }) });
  }

  /** Changes the status. One that is the same already is told only if the occasion tells something else. */
  set(status: SessionStatus, reason: string | undefined, occasion: Occasion = {}): void {
    const { update, cause, phone } = occasion;
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
      };
      this.#write(change);
    }
    this.tell(occasion);
  }

  #write(change: StatusUpdate): void {
    this.#outbox.run(() => this.#directory.setStatus(this.#fence, change));
  }

  /** Publishes what Baileys tells of the connection, with the status as it is. */
  tell({ update = {}, cause }: Occasion): void {
    this.#outbox.publish([mapConnection(update, this.#condition, cause)]);
  }
}
