import { type SessionSettings, WafleetError } from '@wafleet/contract';
import type { Fence, Pause, SendPauses } from '@wafleet/store';

interface SendPauseOptions {
  readonly fence: Fence;
  readonly store: SendPauses;
  readonly inForce: { readonly settings: SessionSettings };
  /** Called when new chats are paused, for longer than before, or no longer. */
  readonly onChange: (pause: Pause) => void;
}

/** When others may try again while one new chat is tried, ms. */
const TRIAL_MS = 5_000;
/** How long a time lock lasts whose end WhatsApp does not say: as long as WhatsApp Web takes it to last. */
const LOCK_OF_UNKNOWN_END_MS = 60_000;

const NONE: Pause = { remainingMs: 0, until: 0, level: 0, refusals: 0, reason: undefined };

/**
 * Whether the session begins new chats. It does not for a while after WhatsApp has refused several of its messages, and
 * while WhatsApp locks the account: each further try makes a restriction worse. Redis has the state, so the next worker
 * goes on with it. This worker alone changes it, so it is read once.
 */
export class SendPause {
  readonly #options: SendPauseOptions;
  #pause = NONE;
  /** When the pause ends, by the process' own clock, which is never set. */
  #endsAt = 0;
  #loading: Promise<void> | undefined;
  #isTrialUnderWay = false;

  constructor(options: SendPauseOptions) {
    this.#options = options;
  }

  /** The pause as it is now; none while the settings switch pauses off. */
  get current(): Pause {
    if (this.#threshold === 0) return NONE;
    return { ...this.#pause, remainingMs: Math.max(0, Math.ceil(this.#endsAt - performance.now())) };
  }

  /** Whether a new chat is more than one message among others: after a refusal, it shows how the account stands. */
  get isWatching(): boolean {
    return this.#threshold > 0 && (this.#pause.level > 0 || this.#pause.refusals > 0);
  }

  /** Whether it pauses because WhatsApp locks the account. False as long as the state was not read. */
  get isTimeLocked(): boolean {
    const { reason, remainingMs } = this.current;
    return reason === 'time-lock' && remainingMs > 0;
  }

  /** Reads the state. Concurrent and later calls read nothing. */
  load(): Promise<void> {
    const { store, fence } = this.#options;
    this.#loading ??= store.read(fence).then(
      (pause) => this.#replace(pause),
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    return this.#loading;
  }

  /**
   * Lets a new chat begin. After a pause the first one is a trial, and others wait for how it ends.
   * @returns called when that is known, at the latest when the message has failed.
   * @throws {WafleetError} SENDS_PAUSED.
   */
  begin(): () => void {
    const { remainingMs, until, level } = this.current;
    if (remainingMs > 0) throw paused(remainingMs, until);
    if (level === 0) return () => {};
    if (this.#isTrialUnderWay) throw paused(TRIAL_MS, Date.now() + TRIAL_MS);
    this.#isTrialUnderWay = true;
    return () => {
      this.#isTrialUnderWay = false;
    };
  }

  /** WhatsApp refused a message. @throws {FencedError} */
  async refused(): Promise<void> {
    if (this.#threshold === 0) return;
    const { store, fence } = this.#options;
    this.#change(await store.noteRefusal(fence, { threshold: this.#threshold }));
  }

  /** WhatsApp has said until when it locks the account, or that it does not. @throws {FencedError} */
  async timeLock({
    isActive,
    until,
  }: {
    readonly isActive: boolean;
    readonly until: Date | undefined;
  }): Promise<void> {
    if (this.#threshold === 0) return;
    await this.load();
    if (!isActive && !this.isTimeLocked) return;
    const { store, fence } = this.#options;
    const end = until?.getTime() ?? Date.now() + LOCK_OF_UNKNOWN_END_MS;
    this.#change(await store.noteTimeLock(fence, isActive ? end : undefined));
  }

  /** A new chat was begun, or a person lifts the pause: all of it is forgotten. @throws {FencedError} */
  async lift(): Promise<void> {
    const { store, fence } = this.#options;
    await store.clear(fence);
    this.#change(NONE);
  }

  get #threshold(): number {
    return this.#options.inForce.settings.pacing.pauseAfter;
  }

  #replace(pause: Pause): void {
    this.#pause = pause;
    this.#endsAt = performance.now() + pause.remainingMs;
  }

  #change(pause: Pause): void {
    const before = this.#pause;
    this.#replace(pause);
    const isSame = pause.until === before.until && pause.level === before.level;
    if (!isSame) this.#options.onChange(pause);
  }
}

function paused(retryAfterMs: number, until: number): WafleetError {
  return new WafleetError(
    'SENDS_PAUSED',
    'WhatsApp has refused messages of this account. The session begins no new chats for a while. Nothing was sent.',
    { resource: 'sends_paused', retryAfterMs, until: new Date(until).toISOString() },
  );
}
