import { setTimeout as delay } from 'node:timers/promises';
import { type CommandKind, type CommandReply, isResting, WafleetError } from '@wafleet/contract';
import {
  type CallOptions,
  type CommandClient,
  NotOwnerError,
  NotSupportedError,
  type SessionDirectory,
  type SessionRef,
  type WorkerCommand,
  type WorkerRegistry,
} from '@wafleet/store';
import type { OwnerCache } from './owner-cache.js';

/** How long a command waits for a session that moves from one worker to another. */
const MOVE_MS = 8_000;
const LOOK_MS = 100;
/** When to try a call again that no worker of this session knows yet: upgrades take minutes. */
const RETRY_AFTER_MS = 30_000;
/** Why a session that moves is queued, in its worker's words. */
const MOVING: ReadonlySet<string | undefined> = new Set(['drain', 'moved']);

/** The kinds of commands that go to the worker that owns the session. */
export type OwnerCommand = Exclude<CommandKind, 'assign'>;

interface SessionCommandsResources {
  readonly sessions: SessionDirectory;
  readonly owners: OwnerCache;
  readonly client: CommandClient;
  readonly workers: Pick<WorkerRegistry, 'isDraining'>;
  /** Called when a command is refused because too many are under way. */
  readonly onExceeded: (limit: 'commands') => void;
}

/** Sends commands to the worker that owns a session. */
export class SessionCommands {
  readonly #resources: SessionCommandsResources;

  constructor(resources: SessionCommandsResources) {
    this.#resources = resources;
  }

  /**
   * Sends a command and resolves with the worker's answer. Sends it again only if a worker answered that it does not
   * own the session or does not know the command, or if the worker was found dead before it took the command: none of
   * these executed it. Waits for a session that one worker hands over to another, for 8 s at most.
   * @throws {WafleetError} the worker's error; SESSION_NOT_FOUND; NO_WORKER; SESSION_NOT_OPEN if the session has
   * stopped; OUTCOME_UNKNOWN if no answer came; NOT_SUPPORTED; TOO_MANY_COMMANDS, INBOX_FULL.
   */
  async call<C extends WorkerCommand<OwnerCommand>>(
    command: C,
    options: Pick<CallOptions, 'idempotencyKey' | 'requestId'> = {},
  ): Promise<CommandReply<C['kind']>> {
    const { owners, client, onExceeded } = this.#resources;
    const giveUpAt = performance.now() + MOVE_MS;
    let previous: string | undefined;
    let refusal: unknown;
    let isLeaving = false;
    for (;;) {
      const owner = await owners.ownerOf(command);
      if (owner !== undefined && owner !== previous) {
        try {
          return await client.call(owner, command, options);
        } catch (error) {
          if (error instanceof WafleetError && error.code === 'TOO_MANY_COMMANDS') onExceeded('commands');
          if (!isMisdirected(error)) throw error;
          previous = owner;
          refusal = error;
          isLeaving = await this.#isLeaving(owner, error);
        }
      } else {
        const isMoving = owner === undefined ? await this.#isMoving(command) : isLeaving;
        if (!isMoving || performance.now() > giveUpAt) throw await this.#whyRefused(command, refusal);
        await delay(LOOK_MS);
      }
      owners.forget(command);
    }
  }

  /** Whether the session is likely to get another owner soon, after this one refused a command. */
  async #isLeaving(owner: string, refusal: unknown): Promise<boolean> {
    if (refusal instanceof NotSupportedError) return this.#resources.workers.isDraining(owner);
    return refusal instanceof NotOwnerError;
  }

  async #isMoving(ref: SessionRef): Promise<boolean> {
    const { status, reason } = await this.#resources.sessions.require(ref);
    return status === 'queued' && MOVING.has(reason);
  }

  async #whyRefused(ref: SessionRef, refusal: unknown): Promise<WafleetError> {
    if (refusal instanceof NotSupportedError) {
      const message = 'The worker of the session runs an earlier release, which does not know this call.';
      return new WafleetError('NOT_SUPPORTED', message, { retryAfterMs: RETRY_AFTER_MS });
    }
    const { status, reason } = await this.#resources.sessions.require(ref);
    const details = { status, ...(reason === undefined ? {} : { reason }) };
    return isResting(status)
      ? new WafleetError('SESSION_NOT_OPEN', `The session is ${status}.`, details)
      : new WafleetError('NO_WORKER', 'The session is waiting for a worker.', details);
  }
}

function isMisdirected(error: unknown): boolean {
  return (
    error instanceof NotOwnerError ||
    error instanceof NotSupportedError ||
    (error instanceof WafleetError && error.code === 'NO_WORKER')
  );
}
