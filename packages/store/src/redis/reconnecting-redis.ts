import { type Command, Redis } from 'ioredis';

/** The commands that ioredis sends by itself after a reconnect. */
const SENT_BY_ITSELF: ReadonlySet<string> = new Set(['select', 'subscribe', 'psubscribe', 'ssubscribe']);

/** The commands that ioredis sends while it connects. Waiting commands are sent only after all of these succeed. */
const SENT_TO_CONNECT: ReadonlySet<string> = new Set([
  ...SENT_BY_ITSELF,
  ...['auth', 'client', 'hello', 'info', 'readonly'],
]);
const SUBSCRIBES: ReadonlySet<string> = new Set(['subscribe', 'psubscribe', 'ssubscribe']);
const SUBSCRIBE_AGAIN_MS = 1_000;
/** How many commands may wait for a connection: many more than a short outage accumulates. */
const MOST_WAITING = 10_000;

/**
 * An ioredis connection that tolerates failures of the commands ioredis itself sends after a reconnect. ioredis 6
 * (`readyHandler`) ignores their results: if the connection ends before one is answered, the rejection is unhandled and
 * ends the process. Callers that send such commands themselves still get the errors.
 *
 * If Redis refuses a channel to a new connection, because a permission is missing or a slow script runs, this class
 * subscribes to the channel as soon as Redis allows it. ioredis would forget the channel permanently.
 *
 * Without a connection at most 10,000 commands wait; further ones fail at once. ioredis has no bound.
 */
export class ReconnectingRedis extends Redis {
  #isReconnecting = false;
  #waiting = 0;
  /** The current subscriptions: `<command> <channel>`. */
  readonly #channels = new Set<string>();
  /** Subscriptions that Redis allowed earlier and then refused. */
  readonly #refused = new Set<string>();
  readonly #noted = new WeakSet<Command>();
  #subscribingAgain: NodeJS.Timeout | undefined;

  /** Whether Redis refuses a channel that this connection was subscribed to before. */
  get lacksChannels(): boolean {
    return this.#refused.size > 0;
  }

  /**
   * ioredis requests a reconnect for each reply that calls for one, and adds listeners to the same socket each time.
   * One chunk may contain hundreds of such replies.
   */
  override disconnect(reconnect = false): void {
    if (reconnect && this.#isReconnecting) return;
    this.#isReconnecting = reconnect;
    if (reconnect) {
      this.once('close', () => {
        this.#isReconnecting = false;
      });
    }
    super.disconnect(reconnect);
  }

  override sendCommand(...sent: Parameters<Redis['sendCommand']>): unknown {
    const command: Command = sent[0];
    if (SENT_BY_ITSELF.has(command.name)) command.promise.catch(() => {});
    if (this.options.autoResubscribe !== false) this.#noteChannels(command);
    if (this.status !== 'ready' && !SENT_TO_CONNECT.has(command.name) && !this.#mayWait(command)) {
      // Like what ioredis gives up.
      command.reject(new Error('Connection is closed. Too many commands wait for another one.'));
      return command.promise;
    }
    return super.sendCommand(...sent);
  }

  #noteChannels(command: Command): void {
    const { name, args } = command;
    if (!name.includes('subscribe') || this.#noted.has(command)) return;
    this.#noted.add(command);
    const channels = args.map(String);
    if (!SUBSCRIBES.has(name)) {
      // As `sunsubscribe`; without channels it ends all.
      const ended = name.replace('un', '');
      for (const each of [...this.#channels]) {
        const [kind, channel] = split(each);
        if (kind === ended && (channels.length === 0 || channels.includes(channel))) this.#forget(each);
      }
      return;
    }
    const named = channels.map((channel) => `${name} ${channel}`);
    const isNew = named.map((each) => !this.#channels.has(each));
    for (const each of named) this.#channels.add(each);
    command.promise.then(
      () => {
        for (const each of named) this.#refused.delete(each);
      },
      (error: unknown) => {
        for (const [index, each] of named.entries()) {
          // The caller that asked for a new subscription already has the error.
          if (isNew[index] === true) this.#forget(each);
          else if (isReply(error) && this.#channels.has(each)) this.#refused.add(each);
        }
        if (this.#refused.size === 0) return;
        this.#subscribingAgain ??= setTimeout(() => this.#subscribeAgain(), SUBSCRIBE_AGAIN_MS).unref();
      },
    );
  }

  #subscribeAgain(): void {
    this.#subscribingAgain = undefined;
    for (const each of this.#refused) {
      this.call(...split(each)).catch(() => {});
    }
  }

  #forget(each: string): void {
    this.#channels.delete(each);
    this.#refused.delete(each);
  }

  #mayWait(command: Command): boolean {
    if (this.#waiting >= MOST_WAITING) return false;
    this.#waiting += 1;
    const settled = () => {
      this.#waiting -= 1;
    };
    command.promise.then(settled, settled);
    return true;
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** The command and the channel. */
function split(each: string): [command: string, channel: string] {
  const end = each.indexOf(' ');
  return [each.slice(0, end), each.slice(end + 1)];
}

/** Whether Redis refuses this connection a channel that it was subscribed to. */
export function lacksChannels(connection: Redis): boolean {
  return connection instanceof ReconnectingRedis && connection.lacksChannels;
}
