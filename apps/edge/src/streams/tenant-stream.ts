import { setTimeout as delay } from 'node:timers/promises';
import {
  comparePositions,
  type EventPosition,
  formatEventId,
  type SubscriptionReset,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { EventLog, LoggedEvent } from '@wafleet/store';

/** Events that one read of the log asks for. */
const PAGE = 500;
const RETRY_MS = 500;

/** Events between two positions that are no longer in the log. */
export interface LostRange {
  readonly after: EventPosition;
  /** The position of the first event that follows, or would follow. */
  readonly before: EventPosition;
}

export interface TenantStreamOptions {
  readonly tenantId: string;
  readonly log: Pick<EventLog, 'read' | 'position'>;
  readonly deliver: (event: LoggedEvent) => void;
  /** Called before the events that follow the loss. */
  readonly onLost: (range: LostRange) => void;
  /** Called with the number of events that were read from the log because the channel did not bring them. */
  readonly onFilled: (events: number) => void;
  readonly logger: Logger;
}

/**
 * One tenant's events as this edge has them: in the order of the log, each once, without gaps. Events of the channel
 * are delivered as long as each follows the one before. If one does not, the log is read from the last delivered event
 * until it has caught up with the channel. Meanwhile the channel's events are only noted: the log has them, since both
 * are written in one step.
 */
export class TenantStream {
  readonly #options: TenantStreamOptions;
  #position: EventPosition | undefined;
  /** The last event that the channel brought while the log is being read, and how many it brought. */
  #heard: EventPosition | undefined;
  #heardCount = 0;
  #filling: Promise<void> | undefined;
  /** The head that the last check saw and that the channel had not brought yet. */
  #awaited: EventPosition | undefined;
  /** Where the stream was at the last check. */
  #checkedAt: EventPosition | undefined;
  #isClosed = false;

  constructor(options: TenantStreamOptions) {
    this.#options = options;
  }

  /** The position of the last event delivered; undefined before `begin`. */
  get position(): EventPosition | undefined {
    return this.#position;
  }

  /** Begins at the end of the log. Call it once the channel is known to bring what is published from now on. */
  async begin(): Promise<void> {
    const { tenantId, log } = this.#options;
    const head = await log.position(tenantId);
    this.#position ??= head;
    // Events published since the head was read have been noted, and are in the log.
    if (this.#hasReached(this.#heard)) this.#forgetHeard();
    else this.#startFilling();
  }

  /** Takes an event of the channel. */
  receive(event: LoggedEvent): void {
    const last = this.#position;
    if (last === undefined || this.#filling !== undefined) {
      this.#note(event);
      return;
    }
    const { epoch, seq } = event.position;
    if (epoch === last.epoch && seq === last.seq + 1) {
      this.#deliver(event);
    } else if (comparePositions(event.position, last) > 0) {
      this.#note(event);
      this.#startFilling();
    }
  }

  /**
   * Delivers what the log had at the previous check and the channel has not brought since. So an event that is only on
   * its way does not count as lost. The log is read only if the stream has not moved since the last check: otherwise a
   * later event shows what is missing before it. A lost event is found by the third check after it at the latest.
   */
  async check(): Promise<void> {
    if (this.#position === undefined || this.#filling !== undefined) return;
    if (!this.#hasReached(this.#awaited)) {
      this.#startFilling();
      return;
    }
    this.#awaited = undefined;
    const hasMoved = this.#position !== this.#checkedAt;
    this.#checkedAt = this.#position;
    if (!hasMoved) this.#awaited = await this.#options.log.position(this.#options.tenantId);
  }

  /** Delivers what the log has after the last delivered event. Call it if the channel was interrupted. */
  async catchUp(): Promise<void> {
    const { tenantId, log } = this.#options;
    if (this.#position === undefined || this.#filling !== undefined) return;
    const head = await log.position(tenantId);
    if (!this.#hasReached(head) && this.#filling === undefined) this.#startFilling();
  }

  close(): void {
    this.#isClosed = true;
  }

  #deliver(event: LoggedEvent): void {
    this.#position = event.position;
    this.#options.deliver(event);
  }

  #note({ position }: LoggedEvent): void {
    this.#heard = position;
    this.#heardCount += 1;
  }

  #startFilling(): void {
    this.#filling = this.#fill().finally(() => {
      this.#filling = undefined;
      this.#awaited = undefined;
      this.#forgetHeard();
    });
  }

  #forgetHeard(): void {
    this.#heard = undefined;
    this.#heardCount = 0;
  }

  async #fill(): Promise<void> {
    const { onFilled, logger, tenantId } = this.#options;
    let filled = 0;
    while (!this.#isClosed) {
      try {
        const [target, before] = [this.#heard, this.#position];
        const { read, isLast } = await this.#fillPage();
        filled += read;
        if (isLast && this.#hasReached(this.#heard)) break;
        // The log has lost what the channel had brought before it was read.
        if (this.#position === before && !this.#hasReached(target)) break;
      } catch (error) {
        logger.warn({ err: error, tenantId }, 'the log cannot be read; trying again');
        await delay(RETRY_MS);
      }
    }
    // Everything that the channel brought has been read as well.
    const missing = filled - this.#heardCount;
    if (missing > 0) onFilled(missing);
  }

  #hasReached(position: EventPosition | undefined): boolean {
    const last = this.#position;
    return position === undefined || last === undefined || comparePositions(position, last) <= 0;
  }

  /** Resolves to the number of events, and whether the log had no more. */
  async #fillPage(): Promise<{ read: number; isLast: boolean }> {
    const { tenantId, log, onLost } = this.#options;
    const after = this.#position;
    if (after === undefined || this.#isClosed) return { read: 0, isLast: true };
    const page = await log.read(tenantId, { after, count: PAGE });
    if (this.#isClosed) return { read: 0, isLast: true };
    if (!page.isContinuous) onLost({ after, before: page.first ?? following(page.head) });
    for (const event of page.events) this.#deliver(event);
    if (comparePositions(page.end, after) !== 0) this.#position = page.end;
    return { read: page.events.length, isLast: comparePositions(page.end, page.head) >= 0 };
  }
}

/** The position that the next event of the same epoch will have. */
export function following({ epoch, seq }: EventPosition): EventPosition {
  return { epoch, seq: seq + 1 };
}

/** The position directly before that of an event. */
export function previous({ epoch, seq }: EventPosition): EventPosition {
  return { epoch, seq: seq - 1 };
}

/** The report of a loss, as clients get it. */
export function describeLoss({ after, before }: LostRange): SubscriptionReset {
  return { lost: { after: formatEventId(after), before: formatEventId(before) } };
}
