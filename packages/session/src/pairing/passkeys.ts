import { type PasskeyAssertion, type PasskeyView, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { SessionAccount } from '../auth/session-account.js';
import type { ConnectionSupervisor } from '../connection/connection-supervisor.js';
import type { PasskeyCeremony } from '../passkey/passkey-ceremony.js';
import type { SessionLifecycle } from '../status/lifecycle.js';
import type { StatusReporter } from '../status/status-reporter.js';

interface PasskeysOptions {
  readonly account: SessionAccount;
  readonly lifecycle: SessionLifecycle;
  readonly statusReporter: StatusReporter;
  readonly supervisor: ConnectionSupervisor;
  readonly logger: Logger;
}

/** What clients do in the passkey ceremony of the session's connection. */
export class Passkeys {
  readonly #options: PasskeysOptions;

  constructor(options: PasskeysOptions) {
    this.#options = options;
  }

  /** @throws {WafleetError} ALREADY_LINKED, PASSKEY_NOT_REQUESTED */
  view(): PasskeyView {
    const { view } = this.#ceremony();
    if (view === undefined) throw notRequested();
    return view;
  }

  /** @throws {WafleetError} ALREADY_LINKED, SESSION_NOT_OPEN, and the errors of PasskeyCeremony.sign. */
  async sign(assertion: PasskeyAssertion): Promise<PasskeyView> {
    const { statusReporter, logger } = this.#options;
    const ceremony = this.#ceremony();
    try {
      await ceremony.sign(assertion);
    } catch (error) {
      if (error instanceof WafleetError) throw error;
      logger.warn({ err: error }, 'the connection ended while a passkey was being used');
      throw statusReporter.notOpen();
    }
    // The phone may have refused since, but WhatsApp has accepted the signature.
    return ceremony.view ?? { stage: ceremony.isLinked ? 'confirmed' : 'signed', expiresAt: now() };
  }

  /** @throws {WafleetError} ALREADY_LINKED, PASSKEY_NOT_REQUESTED */
  async answer({ matches }: { readonly matches: boolean }): Promise<PasskeyView> {
    const ceremony = this.#ceremony();
    const { view } = ceremony;
    if (matches) {
      await ceremony.confirm();
      return currentView(ceremony);
    }
    ceremony.cancel();
    return view ?? currentView(ceremony);
  }

  #ceremony(): PasskeyCeremony {
    const { account, lifecycle, supervisor } = this.#options;
    if (account.current?.isLinked === true) {
      throw new WafleetError('ALREADY_LINKED', 'The session is already linked to a phone.');
    }
    const ceremony = lifecycle.isRunning ? supervisor.current?.passkey : undefined;
    if (ceremony === undefined) throw notRequested();
    return ceremony;
  }
}

/** @throws {WafleetError} PASSKEY_NOT_REQUESTED if the ceremony has failed meanwhile. */
function currentView({ view, isLinked }: PasskeyCeremony): PasskeyView {
  if (view !== undefined) return view;
  if (isLinked) return { stage: 'confirmed', expiresAt: now() };
  throw notRequested();
}

function notRequested(): WafleetError {
  return new WafleetError('PASSKEY_NOT_REQUESTED', 'WhatsApp asks for no passkey now.');
}

function now(): string {
  return new Date().toISOString();
}
