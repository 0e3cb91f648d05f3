import type { Logger } from '@wafleet/runtime';
import type { SessionLifecycle } from '../status/lifecycle.js';
import type { StatusReporter } from '../status/status-reporter.js';
import type { ConnectionSupervisor } from './connection-supervisor.js';
import { QUIET } from './disconnects.js';
import type { SilenceDetector } from './silence-detector.js';

interface SilenceWatchOptions {
  readonly detector: SilenceDetector;
  readonly lifecycle: SessionLifecycle;
  readonly supervisor: ConnectionSupervisor;
  readonly statusReporter: StatusReporter;
  readonly logger: Logger;
}

/** Asks a session's SilenceDetector at intervals, and replaces a connection that is open and delivers nothing. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), this.#options.detector.limits.lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Replaces the connection if it is dead. Work in progress is finished first. */
  #look(): void {
    const { detector, lifecycle, supervisor, statusReporter, logger } = this.#options;
    const connection = supervisor.current;
    if (connection === undefined || !lifecycle.isRunning || statusReporter.status !== 'open') return;
    const quiet = detector.verdict();
    if (quiet === undefined) return;
    const { lastStanzaAt, lastMessageAt } = detector;
    logger.warn(
      { quiet, lastStanzaAt, lastMessageAt },
      'WhatsApp delivers nothing; the connection is replaced',
    );
    detector.reconnecting();
    void connection.drain(QUIET);
  }
}
