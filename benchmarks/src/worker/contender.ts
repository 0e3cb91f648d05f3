import type { Session, Writing } from './protocol.js';

export type ContenderName = 'product' | 'peer';

/** Messages to and of a contender's sessions, over all windows. */
export interface Tally {
  offered: number;
  arrived: number;
}

/** Sessions in one process, on the core that is measured. */
export interface Contender {
  readonly name: ContenderName;
  readonly pid: number;
  readonly sessions: readonly Session[];
  readonly tally: Tally;
  /** Where Node's inspector listens. */
  readonly inspectorPort: number;
  /** Links so many more sessions and opens them. Resolves when all are open. */
  add(count: number): Promise<void>;
  /** The sessions write. Resolves when all of it is sent. */
  send(writing: Writing): Promise<void>;
  /**
   * How many messages of a writing have come out where a user gets them: in the tenant's log, or at a listener. Resolves
   * when that is `count`, or when no more come.
   */
  arrived(label: string, count: number): Promise<number>;
  stop(): Promise<void>;
}
