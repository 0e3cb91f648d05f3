import { randomBytes } from 'node:crypto';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { unixSeconds } from '../unix-seconds.js';
import type { Account, Device } from '../world/account.js';

/** `ringing` until the call is accepted, rejected, missed or ended. All others are final, except `accepted`. */
export type CallState = 'ringing' | 'accepted' | 'rejected' | 'missed' | 'ended';

/** How a call is made. */
export interface CallOptions {
  readonly video?: boolean;
  /** JID of the group that is called. Each callee of a group call gets a separate call. */
  readonly group?: string;
}

/**
 * A call that rings on all linked devices of the callee. It has no media: companions see only the signalling, as
 * Baileys does.
 */
export class Call {
  readonly id = randomBytes(16).toString('hex').toUpperCase();
  readonly caller: Account;
  readonly callee: Account;
  readonly options: CallOptions;
  #state: CallState = 'ringing';
  readonly #onOver: () => void;
  readonly #watchers = new Set<() => void>();

  /** Rings at once. `onOver` is called when the call ends for any reason. */
  constructor(caller: Account, callee: Account, options: CallOptions, onOver: () => void) {
    this.#onOver = onOver;
    this.caller = caller;
    this.callee = callee;
    this.options = options;
    const attrs = options.group === undefined ? {} : { type: 'group', 'group-jid': options.group };
    const media: BinaryNode[] = [{ tag: 'audio', attrs: { enc: 'opus', rate: '16000' } }];
    if (options.video) media.push({ tag: 'video', attrs: { enc: 'vp8' } });
    this.#signal('offer', attrs, media);
  }

  get state(): CallState {
    return this.#state;
  }

  /** The called person answers: the companions stop ringing. `elsewhere` selects which of two signals they get. */
  accept({ elsewhere = false }: { elsewhere?: boolean } = {}): void {
    this.#move('accepted', ['ringing']);
    if (elsewhere) this.#signal('terminate', { reason: 'accepted_elsewhere' });
    else this.#signal('accept', {});
  }

  /** The caller hangs up, before or after the call was answered. */
  terminate(): void {
    this.#move('ended', ['ringing', 'accepted']);
    this.#signal('terminate', {});
  }

  /** The call is not answered: the companions report a missed call. */
  timeOut(): void {
    this.#move('missed', ['ringing']);
    this.#signal('terminate', { reason: 'timeout' });
  }

  /** The called person declines, on the phone or on a companion; the other companions stop ringing. */
  reject(on?: Device): void {
    this.#move('rejected', ['ringing']);
    this.#signal('terminate', { reason: 'rejected_elsewhere' }, [], on);
  }

  /** Resolves with the call's state when it stops ringing; at once if it has already stopped. */
  async settled(): Promise<CallState> {
    if (this.#state === 'ringing') {
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
    return this.#state;
  }

  #move(to: CallState, from: readonly CallState[]): void {
    if (!from.includes(this.#state)) throw new Error(`a call that is ${this.#state} cannot become ${to}`);
    this.#state = to;
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
    if (to !== 'accepted') this.#onOver();
  }

  #signal(tag: string, attrs: Record<string, string>, content: BinaryNode[] = [], except?: Device): void {
    const { caller, callee } = this;
    const signal: BinaryNode = {
      tag,
      attrs: { 'call-id': this.id, 'call-creator': caller.lid, ...caller.beside('caller'), ...attrs },
      ...(content.length > 0 ? { content } : {}),
    };
    for (const device of callee.devices.values()) {
      if (device === except) continue;
      const t = String(unixSeconds());
      const id = `${this.id}.${tag}`;
      device.deliver({
        tag: 'call',
        attrs: { id, from: caller.lid, t, notify: caller.name },
        content: [signal],
      });
    }
  }
}
