import { isResting, WafleetError } from '@wafleet/contract';
import {
  type CommandClient,
  type CommandReply,
  NotOwnerError,
  type SessionDirectory,
  type SessionRef,
  type WorkerCommand,
} from '@wafleet/store';
import type { OwnerCache } from './owner-cache.js';

const DEADLINE_MS = 15_000;
/** One for an owner that was remembered wrongly, one for a session that moves meanwhile. */
const MAX_ATTEMPTS = 3;

/** The commands that go to whichever worker owns the session. */
type OwnerCommand = Exclude<WorkerCommand, { kind: 'assign' }>;

interface SessionCommandsResources {
  readonly sessions: SessionDirectory;
  readonly owners: OwnerCache;
  readonly client: CommandClient;
}

/** Sends commands to the worker that owns a session. */
export class SessionCommands {
  readonly #resources: SessionCommandsResources;

  constructor(resources: SessionCommandsResources) {
    this.#resources = resources;
  }

  /**
   * Sends a command and resolves with the worker's answer, within 15 s. It is sent again only after a worker said
   * that it does not own the session or was found dead before it took the command, since neither carried it out.
   * @throws {WafleetError} the worker's error; SESSION_NOT_FOUND; NO_WORKER; SESSION_NOT_OPEN when the session
   * has stopped; OUTCOME_UNKNOWN when no answer came; INBOX_FULL.
   */
  async call<C extends OwnerCommand>(
    command: C,
    options: { readonly idempotencyKey?: string } = {},
  ): Promise<CommandReply<C['kind']>> {
    const { owners, client } = this.#resources;
    let previous: string | undefined;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const owner = await owners.ownerOf(command);
      if (owner === undefined || owner === previous) break;
      try {
        return await client.call(owner, command, { deadlineMs: DEADLINE_MS, ...options });
      } catch (error) {
        if (!isMisdirected(error)) throw error;
        owners.forget(command);
        previous = owner;
      }
    }
    throw await this.#whyNobody(command);
  }

  async #whyNobody(ref: SessionRef): Promise<WafleetError> {
    const { status, reason } = await this.#resources.sessions.require(ref);
    const details = { status, ...(reason === undefined ? {} : { reason }) };
    return isResting(status)
      ? new WafleetError('SESSION_NOT_OPEN', `The session is ${status}.`, details)
      : new WafleetError('NO_WORKER', 'The session is waiting for a worker.', details);
  }
}

function isMisdirected(error: unknown): boolean {
  return error instanceof NotOwnerError || (error instanceof WafleetError && error.code === 'NO_WORKER');
}
