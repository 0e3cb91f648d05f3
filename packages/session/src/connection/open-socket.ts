import type { WASocket } from '@whiskeysockets/baileys';
import type { SessionAccount } from '../auth/session-account.js';
import type { SessionLifecycle } from '../status/lifecycle.js';
import type { StatusReporter } from '../status/status-reporter.js';
import type { ConnectionSupervisor } from './connection-supervisor.js';

interface OpenSocketOptions {
  readonly lifecycle: SessionLifecycle;
  readonly supervisor: ConnectionSupervisor;
  readonly account: SessionAccount;
  readonly statusReporter: StatusReporter;
}

/** The socket of a session that is open, for commands and for requests to the phone. */
export class OpenSocket {
  readonly #options: OpenSocketOptions;

  constructor(options: OpenSocketOptions) {
    this.#options = options;
  }

  /** The socket, and the account's own id; undefined if the session is not open. */
  get current(): { readonly socket: WASocket; readonly me: string } | undefined {
    const { lifecycle, supervisor, account, statusReporter } = this.#options;
    const socket = supervisor.current?.socket;
    const me = account.current?.me?.id;
    const isOpen = lifecycle.isRunning && statusReporter.status === 'open';
    return socket === undefined || me === undefined || !isOpen ? undefined : { socket, me };
  }

  /**
   * Returns the same.
   * @throws {WafleetError} SESSION_NOT_OPEN.
   */
  require(): { readonly socket: WASocket; readonly me: string } {
    const { current } = this;
    if (current === undefined) throw this.#options.statusReporter.notOpen();
    return current;
  }
}
