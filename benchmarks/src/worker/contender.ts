import type { Session, Writing } from './protocol.js';

export type ContenderName = 'product' | 'peer';

export interface SendOptions {
  /** Whether each message has an `Idempotency-Key`, where the contender has them. */
  readonly isKeyed: boolean;
}

/** Messages to and from a contender's sessions, over all windows. */
export interface Tally {
  offered: number;
  arrived: number;
}

/** Sessions in one process, and what passes their sends on, on the measured core. */
export interface Contender {
  readonly name: ContenderName;
  /** The process of the sessions. */
  readonly pid: number;
  /** All its processes whose CPU is measured. */
  readonly pids: readonly number[];
  readonly sessions: readonly Session[];
  readonly tally: Tally;
  /** The port of Node's inspector. */
  readonly inspectorPort: number;
  /** Links and opens `count` more sessions. Resolves when all are open. */
  add(count: number): Promise<void>;
  /**
   * Lets the sessions send messages. Resolves when all are sent, with the time from the call of each message until its
   * caller knew that WhatsApp has acknowledged it, ms.
   */
  send(writing: Writing, options: SendOptions): Promise<number[]>;
  /**
   * Resolves with the number of messages of a writing that have arrived where a user gets them: in the tenant's log, or
   * at a listener. Resolves at `count`, or when no more arrive.
   */
  arrived(label: string, count: number): Promise<number>;
  stop(): Promise<void>;
}
