import type { Logger } from '@wafleet/runtime';
import type { ClientVersions, ClientVersionsView, VersionCheckOutcome } from '@wafleet/store';
import { readNewestVersion } from './version-page.js';

/** How often it is asked whether a look at the page is due. */
const ASK_EVERY_MS = 2_000;
/** After a look that failed, and after a look that a worker asked for. */
const RETRY_MS = 300_000;
const LEAST_MS = 60_000;

interface VersionChecksOptions {
  readonly versions: ClientVersions;
  /** The page that names the newest version. */
  readonly page: string;
  /** Time between two looks at the page, over all placers; 0 for none. */
  readonly everyMs: number;
  readonly logger: Logger;
  /** How often it is asked whether a look is due. Default: 2 s. */
  readonly askEveryMs?: number;
}

/**
 * Looks at WhatsApp's page for the newest version of WhatsApp Web, and notes it for the workers. One of all placers
 * looks at a time: each hour, five minutes after a failure, and within seconds when a worker asks because WhatsApp
 * refused a version, but at most once a minute. Without access to the page, sessions go on with the versions that are
 * known.
 */
export class VersionChecks {
  readonly #options: VersionChecksOptions;
  readonly #outcomes = new Map<VersionCheckOutcome, number>();
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();
  #view: ClientVersionsView | undefined;
  #hasFailed = false;

  constructor(options: VersionChecksOptions) {
    this.#options = options;
  }

  /** How often this process looked at the page, by what came of it. */
  get outcomes(): ReadonlyMap<VersionCheckOutcome, number> {
    return this.#outcomes;
  }

  /** What the cluster knows, as this process last read it. */
  get view(): ClientVersionsView | undefined {
    return this.#view;
  }

  start(): void {
    const { askEveryMs = ASK_EVERY_MS } = this.#options;
    let isAsking = false;
    this.#timer = setInterval(() => {
      if (isAsking) return;
      isAsking = true;
      this.#asking = this.#ask().finally(() => {
        isAsking = false;
      });
    }, askEveryMs);
  }

  /** Resolves when no look is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#asking;
  }

  async #ask(): Promise<void> {
    const { versions, everyMs, logger } = this.#options;
    const times = { everyMs, retryMs: Math.min(everyMs, RETRY_MS), leastMs: Math.min(everyMs, LEAST_MS) };
    try {
      if (everyMs > 0 && (await versions.beginCheck(times))) await this.#look();
      this.#view = await versions.view();
    } catch (error) {
      logger.debug({ err: error }, 'the versions of WhatsApp Web cannot be read or noted now');
    }
  }

  async #look(): Promise<void> {
    const { versions, page, logger } = this.#options;
    const found = await this.#read();
    const outcome = await versions.noteCheck(found);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    const failed = outcome === 'failed' || outcome === 'implausible';
    if (failed && !this.#hasFailed)
      logger.warn({ page, ...found }, 'the newest version of WhatsApp Web is not known');
    if (outcome === 'new') logger.info(found, 'there is a newer version of WhatsApp Web');
    this.#hasFailed = failed;
  }

  async #read(): Promise<{ version: string } | { error: string }> {
    try {
      return { version: await readNewestVersion(this.#options.page) };
    } catch (error) {
      return { error: reasonOf(error) };
    }
  }
}

/** The error of `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
