import { randomUUID } from 'node:crypto';
import { type CommandReply, limitError, WafleetError } from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '../redis/connection.js';
import { channels, countedIn, keys } from '../redis/keyspace.js';
import { refusalOf } from '../redis/redis-refusal.js';
import { asList, asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { ShardChannels } from '../redis/shard-channels.js';
import type { TenantLimitTable } from '../tenants/tenant-limits.js';
import { INBOX_LIFE_MS, INBOX_LIMIT, INBOX_SHARE } from './inbox-limits.js';
import {
  type CommandEnvelope,
  ENVELOPE_VERSION,
  executionOf,
  NotOwnerError,
  NotSupportedError,
  type Outcome,
  outcomeSchema,
  parseReply,
  type WorkerCommand,
} from './worker-command.js';

export interface CallOptions {
  /**
   * How long to wait for the answer, ms. The worker drops the command if it reads it after that time. Default: the
   * command's own deadline.
   */
  readonly deadlineMs?: number;
  /**
   * The same worker carries out two commands of the same kind, session and idempotency key only once: the second gets
   * the first one's reply.
   */
  readonly idempotencyKey?: string | undefined;
  /** Of the REST call that led to the command, for the worker's log lines. */
  readonly requestId?: string | undefined;
}

/** When a client that has too many commands under way may retry. */
const RETRY_AFTER_MS = 1_000;

interface Queued {
  readonly outcome: string;
  /** How many commands are under way, if there are too many. */
  readonly used: number;
}

const enqueueCommand = new Script('commands/enqueue-command', (reply): Queued => {
  const [outcome, used = 0] = asList(reply);
  return { outcome: asText(outcome), used: asNumber(used) };
});

/** Sends commands to workers' inboxes and receives their replies. */
export class CommandClient {
  readonly #redis: RedisConnection;
  readonly #channels: ShardChannels;
  readonly #replyTo: string;
  readonly #limits: TenantLimitTable | undefined;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, (outcome: Outcome | 'unknown') => void>();
  #started = false;

  constructor(options: {
    redis: RedisConnection;
    /** A connection of role `subscriber`; others may share it. */
    subscriber: RedisConnection;
    /** Unique among all clients. */
    clientId: string;
    /** Bounds the tenants' commands under way. Omit it for clients that send no commands for tenants. */
    limits?: TenantLimitTable;
    logger: Logger;
  }) {
    this.#redis = options.redis;
    this.#channels = new ShardChannels(options.subscriber);
    this.#replyTo = channels.replies(options.clientId);
    this.#limits = options.limits;
    this.#logger = options.logger;
  }

  /** Resolves when the client can receive replies. */
  async start(): Promise<void> {
    await this.#channels.subscribe(this.#replyTo, (message) => this.#receive(message));
    this.#started = true;
  }

  /** Rejects all waiting calls with OUTCOME_UNKNOWN. */
  async stop(): Promise<void> {
    this.#started = false;
    for (const settle of this.#waiting.values()) settle('unknown');
    await this.#channels.unsubscribe(this.#replyTo);
  }

  /**
   * Has a worker execute a command.
   * @throws {NotOwnerError} if the worker does not own the session. Nothing was done.
   * @throws {NotSupportedError} if the worker's release does not know the command. Nothing was done.
   * @throws {WafleetError} the worker's own error. TOO_MANY_COMMANDS, INBOX_FULL, NO_WORKER (the worker's lease
   * expired) or UNAVAILABLE (Redis is out of reach): nothing was done. OUTCOME_UNKNOWN: no answer came in time.
   */
  async call<C extends WorkerCommand>(
    workerId: string,
    command: C,
    { deadlineMs = executionOf(command.kind).deadlineMs, idempotencyKey, requestId }: CallOptions = {},
  ): Promise<CommandReply<C['kind']>> {
    if (!this.#started) throw new Error('the command client is not started');
    if (this.#redis.status !== 'ready') throw unavailable();
    const id = randomUUID();
    const outcome = this.#outcomeOf(id, deadlineMs);
    try {
      const envelope = { v: ENVELOPE_VERSION, id, replyTo: this.#replyTo, idempotencyKey, requestId };
      await this.#enqueue(workerId, envelope, command, deadlineMs);
    } catch (error) {
      this.#waiting.get(id)?.('unknown');
      throw error;
    }
    return readReply(command, await outcome);
  }

  async #enqueue(
    workerId: string,
    envelope: Omit<CommandEnvelope, 'command'>,
    command: WorkerCommand,
    deadlineMs: number,
  ): Promise<void> {
    const { lane } = executionOf(command.kind);
    const limits = await this.#limits?.get(command.tenantId);
    const counted = limits === undefined ? [] : countedIn(lane, command);
    const { outcome, used } = await enqueueCommand
      .run(
        this.#redis,
        [keys.lease(workerId), keys.inbox(workerId), ...counted],
        [
          ...[
            JSON.stringify({ ...envelope, command }),
            deadlineMs,
            lane === 'control' ? '' : INBOX_LIMIT,
            INBOX_LIFE_MS,
          ],
          ...[envelope.id, limits?.commands ?? '', limits?.commandsPerSession ?? ''],
          limits === undefined ? 0 : INBOX_SHARE,
        ],
      )
      .catch((error: unknown): Queued => {
        if (error instanceof Error && error.name === 'ReplyError') {
          this.#logger.error({ err: error }, 'Redis refused a command for a worker');
          throw unavailable(refusalOf(error));
        }
        // The connection broke or gave no answer. Redis may have queued the command nevertheless.
        this.#logger.warn({ err: error }, 'a command may or may not have been queued');
        return { outcome: 'unknown', used: 0 };
      });
    switch (outcome) {
      case 'queued':
        return;
      case 'tenant':
      case 'session': {
        const resource = outcome === 'tenant' ? 'commands' : 'commandsPerSession';
        const details = { limit: limits?.[resource] ?? 0, used, retryAfterMs: RETRY_AFTER_MS };
        throw limitError(resource, 'TOO_MANY_COMMANDS', details);
      }
      case 'full':
        throw new WafleetError('INBOX_FULL', 'The worker of this session has too many commands waiting.', {
          resource: 'inbox',
          retryAfterMs: RETRY_AFTER_MS,
        });
      case 'gone':
        throw new WafleetError('NO_WORKER', 'The worker of this session is gone.');
      default:
        throw outcomeUnknown();
    }
  }

  #outcomeOf(id: string, deadlineMs: number): Promise<Outcome | 'unknown'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle('unknown'), deadlineMs);
      const settle = (outcome: Outcome | 'unknown') => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(outcome);
      };
      this.#waiting.set(id, settle);
    });
  }

  #receive(message: Buffer): void {
    try {
      const outcome = outcomeSchema.parse(JSON.parse(message.toString()));
      this.#waiting.get(outcome.id)?.(outcome);
    } catch (error) {
      this.#logger.warn({ err: error }, 'a reply to a command cannot be read');
    }
  }
}

function unavailable(refusal?: string): WafleetError {
  return new WafleetError('UNAVAILABLE', `${refusal ?? 'The cluster’s Redis is out of reach'}.`);
}

function outcomeUnknown(): WafleetError {
  return new WafleetError(
    'OUTCOME_UNKNOWN',
    'No answer came in time: the command may or may not have been carried out.',
  );
}

function readReply<C extends WorkerCommand>(
  command: C,
  outcome: Outcome | 'unknown',
): CommandReply<C['kind']> {
  if (outcome === 'unknown') throw outcomeUnknown();
  switch (outcome.outcome) {
    case 'not-owner':
      throw new NotOwnerError(command);
    case 'not-supported':
      throw new NotSupportedError(command.kind);
    case 'failed':
      throw new WafleetError(outcome.error.code, outcome.error.message, outcome.error.details);
    case 'done': {
      const kind: C['kind'] = command.kind;
      return parseReply(kind, outcome.reply);
    }
  }
}
