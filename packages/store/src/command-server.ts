import { setTimeout as delay } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from './connection.js';
import { keys } from './keyspace.js';
import { RecentOutcomes } from './recent-outcomes.js';
import { FencedError } from './session-ref.js';
import {
  type CommandReply,
  commandEnvelopeSchema,
  NotOwnerError,
  type Outcome,
  type WorkerCommand,
  workerCommandSchema,
} from './worker-command.js';

/** How many commands are carried out at the same time; the others wait in the inbox. */
const CONCURRENCY = 100;
/** How long a read waits in Redis for a command. */
const BLOCK_MS = 5_000;
/** Pause after a read that failed, so that a fault of Redis is not met in a tight loop. */
const PAUSE_MS = 500;

type Entry = readonly [id: string, fields: readonly string[]];
type Envelope = ReturnType<typeof commandEnvelopeSchema.parse>;

/**
 * Carries out the commands in a worker's inbox and replies to their senders. A command that is read after its deadline
 * is dropped: its sender was told that the outcome is unknown and must not be surprised later. The time is that of
 * Redis. Commands of one session may run at the same time.
 */
export class CommandServer {
  readonly #redis: RedisConnection;
  readonly #blocking: RedisConnection;
  readonly #inbox: string;
  readonly #handle: (command: WorkerCommand) => Promise<CommandReply>;
  readonly #logger: Logger;
  readonly #outcomes = new RecentOutcomes<CommandReply>();
  readonly #running = new Set<Promise<void>>();
  readonly #finished = new Set<string>();
  #stopped = false;
  #loop: Promise<void> | undefined;

  constructor(options: {
    redis: RedisConnection;
    /** A connection of role `blocking` of its own, which `stop` closes. */
    blocking: RedisConnection;
    workerId: string;
    /**
     * Carries a command out. What it throws is told to the sender: a WafleetError as it is, NotOwnerError and
     * FencedError as "not the owner", anything else as INTERNAL.
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

  /** Takes no more commands, and resolves when those being carried out have been replied to. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#blocking.disconnect();
    await this.#loop;
    await Promise.all(this.#running);
  }

  async #serve(): Promise<void> {
    let lastId = '0';
    while (!this.#stopped) {
      if (this.#running.size >= CONCURRENCY) {
        await Promise.race(this.#running);
        continue;
      }
      try {
        const entries = await this.#readAfter(lastId);
        if (entries.length === 0) continue;
        const now = await this.#redisTime();
        for (const entry of entries) this.#begin(entry, now);
        lastId = entries.at(-1)?.[0] ?? lastId;
      } catch (error) {
        if (this.#stopped) return;
        this.#logger.warn({ err: error }, 'the inbox cannot be read');
        await delay(PAUSE_MS);
      }
    }
  }

  async #readAfter(lastId: string): Promise<readonly Entry[]> {
    const room = CONCURRENCY - this.#running.size;
    const streams = await this.#blocking.xread(
      'COUNT',
      room,
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

  #begin(entry: Entry, now: number): void {
    const run = this.#process(entry, now)
      .catch((error: unknown) => {
        // The sender runs into its deadline.
        this.#logger.warn({ err: error }, 'a command could not be answered');
      })
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #process([id, fields]: Entry, now: number): Promise<void> {
    try {
      const [, text = '', , deadline = '0'] = fields;
      const envelope = commandEnvelopeSchema.parse(JSON.parse(text));
      if (now > Number(deadline)) {
        this.#logger.info({ commandId: envelope.id }, 'dropped a command that came past its deadline');
        return;
      }
      const outcome = await this.#carryOut(envelope);
      await this.#redis.spublish(envelope.replyTo, JSON.stringify(outcome));
    } finally {
      await this.#removeFromInbox(id);
    }
  }

  async #carryOut({ id, idempotencyKey, command: untyped }: Envelope): Promise<Outcome> {
    const { data: command } = workerCommandSchema.safeParse(untyped);
    if (command === undefined) {
      const message = 'The worker does not know this command.';
      return { id, outcome: 'failed', error: { code: 'INTERNAL', message } };
    }
    const { kind, tenantId, sessionId } = command;
    // Without a key of the sender's, the envelope's own: a broken connection may have queued it twice.
    const key = `${kind} ${tenantId}/${sessionId} ${idempotencyKey ?? id}`;
    try {
      const reply = await this.#outcomes.once(key, () => this.#handle(command));
      return { id, outcome: 'done', reply };
    } catch (error) {
      if (error instanceof NotOwnerError || error instanceof FencedError) return { id, outcome: 'not-owner' };
      if (error instanceof WafleetError) return { id, outcome: 'failed', error: error.describe() };
      this.#logger.error({ err: error, kind, tenantId, sessionId }, 'a command failed');
      const message = 'The worker failed to carry the command out; the failure was logged.';
      return { id, outcome: 'failed', error: { code: 'INTERNAL', message } };
    }
  }

  /** Makes room in the inbox; what could not be removed is removed with the next one. */
  async #removeFromInbox(id: string): Promise<void> {
    this.#finished.add(id);
    const ids = [...this.#finished];
    await this.#redis.xdel(this.#inbox, ...ids);
    for (const removed of ids) this.#finished.delete(removed);
  }
}
