import { setTimeout as delay } from 'node:timers/promises';
import { type CommandLane, type CommandReply, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { countedIn, keys } from '../redis/keyspace.js';
import { asNumber } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { FencedError } from '../redis/session-ref.js';
import { BusyLimit } from './busy-limit.js';
import { CommandTurns } from './command-turns.js';
import { RecentOutcomes } from './recent-outcomes.js';
import {
  type CommandEnvelope,
  commandEnvelopeSchema,
  ENVELOPE_VERSION,
  executionOf,
  NotOwnerError,
  NotSupportedError,
  type Outcome,
  parseCommand,
  type WorkerCommand,
} from './worker-command.js';

/**
 * How many commands of each lane run at the same time; the others wait for their turn. One tenant may have half of
 * them, since calls to different sessions mostly wait for WhatsApp. While the process is busy, fewer of its commands
 * run.
 */
const TURNS = {
  control: { concurrency: 100, perTenant: 100, reserved: 1 },
  calls: { concurrency: 100, perTenant: 50, reserved: 4 },
  media: { concurrency: 50, perTenant: 25, reserved: 4 },
} as const satisfies Record<CommandLane, unknown>;
/** How many commands one read of the inbox takes. */
const READ_AT_ONCE = 200;
/** How long a read blocks in Redis to wait for a command. */
const BLOCK_MS = 5_000;
/** Pause after a failed read, so that a fault of Redis does not cause a tight loop. */
const PAUSE_MS = 500;
/** A reply is sent as one message. A command with a larger result must page it or store it elsewhere. */
const MAX_REPLY_BYTES = 256 * 1024;

type Entry = readonly [id: string, fields: readonly string[]];

/** A command read from the inbox. */
interface Received {
  /** Its id in the inbox. */
  readonly entry: string;
  readonly envelope: CommandEnvelope;
  /** Undefined if this release does not know it. */
  readonly command: WorkerCommand | undefined;
  /** When its sender gives up, by `performance.now()`. */
  readonly deadline: number;
}

/** How a command that this release does not know is scheduled: it is refused at once. */
const UNKNOWN = { lane: 'control', order: 'none' } as const;

const endCommand = new Script('commands/end-command', asNumber);

/**
 * Carries out the commands in a worker's inbox and replies to their senders. A command whose turn comes after its
 * deadline is dropped: its sender already got OUTCOME_UNKNOWN, and the command must not take effect later. The time is
 * that of Redis.
 *
 * Tenants take turns, and so do the sessions of a tenant. A tenant with many commands makes other tenants wait for at
 * most one of them. Calls to one session run one after the other; see `CommandLane`. The number of a tenant's running
 * calls is limited so that the process has time for the sessions of all others; see `BusyLimit`.
 */
export class CommandServer {
  readonly #redis: RedisConnection;
  readonly #blocking: RedisConnection;
  readonly #inbox: string;
  readonly #handle: (command: WorkerCommand) => Promise<CommandReply>;
  readonly #logger: Logger;
  readonly #outcomes = new RecentOutcomes<CommandReply>();
  /** Outcomes by command id, including failures: a broken connection may have queued a command twice. */
  readonly #answers = new RecentOutcomes<Outcome>();
  readonly #busyLimit = new BusyLimit({ most: TURNS.calls.perTenant });
  readonly #turns: Readonly<Record<CommandLane, CommandTurns>> = {
    control: new CommandTurns(TURNS.control),
    calls: new CommandTurns({ ...TURNS.calls, whenBusy: () => this.#busyLimit.now() }),
    media: new CommandTurns(TURNS.media),
  };
  readonly #finished = new Set<string>();
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: {
    redis: RedisConnection;
    /** A connection of role `blocking` of its own, which `stop` closes. */
    blocking: RedisConnection;
    workerId: string;
    /**
     * Executes a command. The sender receives its errors: a WafleetError unchanged, NotOwnerError and FencedError as
     * "not the owner", NotSupportedError as "not supported", and any other error as INTERNAL.
     */
    handle: (command: WorkerCommand) => Promise<CommandReply>;
    logger: Logger;
  }) {
    this.#redis = options.redis;
    this.#blocking = options.blocking;
    this.#inbox = keys.inbox(options.workerId);
    this.#handle = options.handle;
    this.#logger = options.logger;
  }

  start(): void {
    this.#loop ??= this.#serve();
  }

  /**
   * Accepts no more commands, and resolves when all running ones have been answered. The senders of waiting commands
   * receive "not the owner", so that they look up the owner again.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#blocking.disconnect();
    await this.#loop;
    await Promise.all(Object.values(this.#turns).map((turns) => turns.close()));
  }

  async #serve(): Promise<void> {
    let lastId = '0';
    while (!this.#stopped) {
      try {
        const entries = await this.#readAfter(lastId);
        if (entries.length === 0) continue;
        const now = await this.#redisTime();
        if (this.#stopped) return;
        for (const entry of entries) this.#receive(entry, now);
        lastId = entries.at(-1)?.[0] ?? lastId;
      } catch (error) {
        if (this.#stopped) return;
        this.#logger.warn({ err: error }, 'the inbox cannot be read');
        await delay(PAUSE_MS);
      }
    }
  }

  async #readAfter(lastId: string): Promise<readonly Entry[]> {
    const streams = await this.#blocking.xread(
      'COUNT',
      READ_AT_ONCE,
      'BLOCK',
      BLOCK_MS,
      'STREAMS',
      this.#inbox,
      lastId,
    );
    return streams?.[0]?.[1] ?? [];
  }

  async #redisTime(): Promise<number> {
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
  }

  #receive([entry, fields]: Entry, now: number): void {
    const received = this.#read(entry, fields, now);
    if (received === undefined) {
      this.#quietly(this.#remove(entry));
      return;
    }
    const { command, deadline } = received;
    const { lane, order } = command === undefined ? UNKNOWN : executionOf(command.kind);
    this.#turns[lane].add({
      tenantId: command?.tenantId ?? '',
      inOrderOf: order === 'session' ? command?.sessionId : undefined,
      holdsMs: Math.max(0, deadline - performance.now()),
      run: () => this.#quietly(this.#process(received)),
      discard: () =>
        this.#quietly(this.#answer(received, { id: received.envelope.id, outcome: 'not-owner' })),
    });
  }

  #read(
    entry: string,
    [, text = '', , deadline = '0']: readonly string[],
    now: number,
  ): Received | undefined {
    try {
      const envelope = commandEnvelopeSchema.parse(JSON.parse(text));
      const command = envelope.v > ENVELOPE_VERSION ? undefined : parseCommand(envelope.command);
      return { entry, envelope, command, deadline: performance.now() + Number(deadline) - now };
    } catch (error) {
      this.#logger.warn({ err: error }, 'a command cannot be read');
      return undefined;
    }
  }

  /** Never rejects. A sender that gets no answer reaches its deadline. */
  async #quietly(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.#logger.warn({ err: error }, 'a command could not be answered');
    });
  }

  async #process(received: Received): Promise<void> {
    const { envelope, deadline, entry, command } = received;
    if (performance.now() > deadline) {
      const { id, requestId } = envelope;
      this.#logger.info({ commandId: id, requestId }, 'dropped a command that came past its deadline');
      await this.#remove(entry, envelope.id, command);
      return;
    }
    const outcome = await this.#answers.once(envelope.id, () => this.#execute(envelope, command));
    this.#noteEnd(envelope, command, outcome);
    await this.#answer(received, outcome);
  }

  /**
   * Removes a command, then sends its outcome. In this order a sender that has the answer has room for the next
   * command.
   */
  async #answer({ entry, envelope, command }: Received, outcome: Outcome): Promise<void> {
    await Promise.all([
      this.#remove(entry, envelope.id, command),
      this.#redis.spublish(envelope.replyTo, this.#textOf(outcome, command)),
    ]);
  }

  /** An outcome as it travels; in place of one whose reply is too large, an error. */
  #textOf(outcome: Outcome, command: WorkerCommand | undefined): string {
    const text = JSON.stringify(outcome);
    const bytes = Buffer.byteLength(text);
    if (outcome.outcome !== 'done' || bytes <= MAX_REPLY_BYTES) return text;
    this.#logger.error({ kind: command?.kind, bytes }, 'the reply of a command is too large');
    const message = 'The command was executed, but its reply is too large.';
    const failed: Outcome = { id: outcome.id, outcome: 'failed', error: { code: 'INTERNAL', message } };
    return JSON.stringify(failed);
  }

  async #execute(
    { id, idempotencyKey, requestId }: CommandEnvelope,
    command: WorkerCommand | undefined,
  ): Promise<Outcome> {
    if (command === undefined) return { id, outcome: 'not-supported' };
    const { kind, tenantId, sessionId } = command;
    const key = `${kind} ${tenantId}/${sessionId} ${idempotencyKey ?? id}`;
    try {
      const reply = await this.#outcomes.once(key, () => this.#handle(command));
      return { id, outcome: 'done', reply };
    } catch (error) {
      if (error instanceof NotOwnerError || error instanceof FencedError) return { id, outcome: 'not-owner' };
      if (error instanceof NotSupportedError) return { id, outcome: 'not-supported' };
      const context = { kind, tenantId, sessionId, requestId, err: error };
      if (error instanceof WafleetError) {
        // Without a cause the sender receives all of the information, so there is nothing to log.
        if (error.cause !== undefined) this.#logger.info(context, 'a command was refused');
        return { id, outcome: 'failed', error: error.describe() };
      }
      this.#logger.error(context, 'a command failed');
      const message = 'The worker failed to carry the command out; the failure was logged.';
      return { id, outcome: 'failed', error: { code: 'INTERNAL', message } };
    }
  }

  #noteEnd(
    { id, requestId }: CommandEnvelope,
    command: WorkerCommand | undefined,
    { outcome }: Outcome,
  ): void {
    const { kind, tenantId, sessionId } = command ?? {};
    this.#logger.debug(
      { commandId: id, requestId, kind, tenantId, sessionId, outcome },
      'answered a command',
    );
  }

  /** Makes room in the inbox. An entry that could not be removed is removed together with the next one. */
  async #remove(entry: string, commandId = '', command?: WorkerCommand): Promise<void> {
    this.#finished.add(entry);
    const entries = [...this.#finished];
    const counted = command === undefined ? [] : countedIn(executionOf(command.kind).lane, command);
    await endCommand.run(this.#redis, [this.#inbox, ...counted], [commandId, ...entries]);
    for (const removed of entries) this.#finished.delete(removed);
  }
}
