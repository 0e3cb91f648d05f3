import { LINK_STEPS, type LinkProblemCode, type LinkProgress, type LinkStep } from '@wafleet/contract';

/**
 * The longest that `syncing` lasts. Baileys itself waits 20 s for the first part of the history. If a part comes, it
 * then waits for the phone's key to the app state, without a limit: a phone that goes offline at that moment would leave
 * the link unfinished permanently, though the session has long been able to send and receive.
 */
const SYNC_MS = 60_000;

/** Steps in which the session itself cannot do anything but log in again: they outlive a connection. */
const LINKED: ReadonlySet<LinkStep> = new Set(['confirmed', 'syncing']);

/** How far linking the session to a phone has come, as long as that goes on. */
export class LinkProgressTracker {
  readonly #syncMs: number;
  #current: LinkProgress | null | undefined;
  #syncTimer: NodeJS.Timeout | undefined;

  /** @param options.syncMs how long `syncing` lasts at most. Default: one minute. */
  constructor({ syncMs = SYNC_MS }: { readonly syncMs?: number } = {}) {
    this.#syncMs = syncMs;
  }

  /** A new object after each change. Undefined as long as the account is not loaded, null if no link goes on. */
  get current(): LinkProgress | null | undefined {
    return this.#current;
  }

  get step(): LinkStep | undefined {
    return this.#current?.step;
  }

  /** Whether a phone has signed the link. */
  get isLinked(): boolean {
    return this.step !== undefined && LINKED.has(this.step);
  }

  /** @param expiresAt when the step ends by itself, ms since 1970. */
  reach(step: LinkStep, expiresAt?: number): void {
    const { next, isProgress } = LINK_STEPS[step];
    const problem = isProgress ? undefined : this.#current?.problem;
    const ends = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    if (this.step === step && this.#current?.expiresAt === ends) return;
    this.#current = {
      step,
      next,
      ...(ends === undefined ? {} : { expiresAt: ends }),
      ...(problem === undefined ? {} : { problem }),
    };
  }

  /**
   * Something went wrong. It is shown until the next progress.
   * @param options.step the step at which the attempt goes on. Default: `waiting`.
   */
  fail(
    code: LinkProblemCode,
    message: string,
    options: { readonly step?: LinkStep; readonly expiresAt?: number } = {},
  ): void {
    this.reach(options.step ?? 'waiting', options.expiresAt);
    if (this.#current) this.#current = { ...this.#current, problem: { code, message } };
  }

  /** The session is open, and its first history still comes. @param onOver called once, if that takes too long. */
  beginSync(onOver: () => void): void {
    this.reach('syncing');
    this.#syncTimer ??= setTimeout(onOver, this.#syncMs);
  }

  /** No link goes on: it is complete, or the session has no phone any more. */
  end(): void {
    clearTimeout(this.#syncTimer);
    this.#syncTimer = undefined;
    this.#current = null;
  }
}
