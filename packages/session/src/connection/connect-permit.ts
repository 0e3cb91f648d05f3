import { OpenConnections } from './open-connections.js';

/** WhatsApp's code for a version of the client that is too old (`<failure reason="405">`). */
export const CLIENT_OUTDATED = 405;

/** What the first report of a permit says. `accepted`: the client may be linked. `opened`: it is logged in. */
export type ConnectOutcome = 'accepted' | 'opened' | 'failed';

interface ConnectPermitOptions {
  readonly version: string;
  /** Receives the first outcome. `statusCode` is 0 if no connection was made. */
  readonly report: (outcome: ConnectOutcome, statusCode: number) => void;
  /** Called once, when the session is logged in. */
  readonly onOpened?: (() => void) | undefined;
  /** Called once, when the connection has ended after that. */
  readonly onClosed?: (() => void) | undefined;
  readonly open?: OpenConnections;
}

/** Permission to connect once. The holder reports the outcome; only the first report counts. */
export class ConnectPermit {
  /** The version of WhatsApp Web that the client is to report. */
  readonly version: string;
  readonly #options: ConnectPermitOptions;
  readonly #open: OpenConnections;
  #isReported = false;
  #hasFailed = false;
  #stage: 'connecting' | 'open' | 'closed' = 'connecting';

  constructor(options: ConnectPermitOptions) {
    this.version = options.version;
    this.#options = options;
    this.#open = options.open ?? new OpenConnections();
  }

  /** Whether the connection ended before the session was logged in. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** WhatsApp has accepted the client: it may be linked. */
  accepted(): void {
    this.#once('accepted', 200);
  }

  /** The session is logged in. */
  opened(): void {
    this.#once('opened', 200);
    if (this.#stage !== 'connecting') return;
    this.#stage = 'open';
    this.#open.opened(this, this.version);
    this.#options.onOpened?.();
  }

  /** The connection has ended, or was never opened: then the code is 0. */
  ended(statusCode: number): void {
    const wasOpen = this.#stage === 'open';
    if (this.#stage === 'connecting') this.#hasFailed = true;
    this.#stage = 'closed';
    this.#open.closed(this);
    this.#once('failed', statusCode);
    if (wasOpen) this.#options.onClosed?.();
  }

  #once(outcome: ConnectOutcome, statusCode: number): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#options.report(outcome, statusCode);
  }
}
