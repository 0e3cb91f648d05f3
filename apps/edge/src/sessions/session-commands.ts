import { setTimeout as delay } from 'node:timers/promises';
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
/** How long a command waits for a session that is on its way from one worker to another. */
const MOVE_MS = 8_000;
const LOOK_MS = 100;
/** Why a session that moves is queued, in its worker's words. */
const MOVING: ReadonlySet<string | undefined> = new Set(['drain', 'moved']);

/** The commands that go to whichever worker owns the session. */
type OwnerCommand = Exclude<WorkerCommand, { kind: 'assign' }>;

interface SessionCommandsResources {
  readonly sessions: SessionDirectory;
  readonly owners: OwnerCache;
  readonly client: CommandClient;
  /** Called when a command is refused since too many are under way. */
  readonly onExceeded: (limit: 'commands') => void;
}

/** Sends commands to the worker that owns a session. */
export class SessionCommands {
  readonly #resources: SessionCommandsResources;

  constructor(resources: SessionCommandsResources) {
    this.#resources = resources;
  }

  /**
   * Sends a command and resolves with the worker's answer, within 15 s. It is sent again only after a worker said
   * that it does not own the session or was found dead before it took the command, since neither carried it out. A
   * session that one worker hands over to another is waited for, 8 s at the most.
   * @throws {WafleetError} the worker's error; SESSION_NOT_FOUND; NO_WORKER; SESSION_NOT_OPEN when the session
   * has stopped; OUTCOME_UNKNOWN when no answer came; TOO_MANY_COMMANDS, INBOX_FULL.
   */
  async call<C extends OwnerCommand>(
    command: C,
    options: { readonly idempotencyKey?: string } = {},
  ): Promise<CommandReply<C['kind']>> {
    const { owners, client, onExceeded } = this.#resources;
    const giveUpAt = performance.now() + MOVE_MS;
    let previous: string | undefined;
    let isLeaving = false;
    for (;;) {
      const owner = await owners.ownerOf(command);
      if (owner !== undefined && owner !== previous) {
        try {
          return await client.call(owner, command, { deadlineMs: DEADLINE_MS, ...options });
        } catch (error) {
          if (error instanceof WafleetError && error.code === 'TOO_MANY_COMMANDS') onExceeded('commands');
          if (!isMisdirected(error)) throw error;
          previous = owner;
          isLeaving = error instanceof NotOwnerError;
        }
      } else {
        const isMoving = owner === undefined ? await this.#isMoving(command) : isLeaving;
        if (!isMoving || performance.now() > giveUpAt) throw await this.#whyNobody(command);
        await delay(LOOK_MS);
      }
      owners.forget(command);
    }
  }

  async #isMoving(ref: SessionRef): Promise<boolean> {
    const { status, reason } = await this.#resources.sessions.require(ref);
    return status === 'queued' && MOVING.has(reason);
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
