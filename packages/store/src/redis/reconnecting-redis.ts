import { type Command, Redis } from 'ioredis';

/** What ioredis sends by itself when it has connected again. */
const SENT_BY_ITSELF: ReadonlySet<string> = new Set(['select', 'subscribe', 'psubscribe', 'ssubscribe']);

/** What ioredis sends while it connects. All of it must get through for what waits to be sent. */
const SENT_TO_CONNECT: ReadonlySet<string> = new Set([
  ...SENT_BY_ITSELF,
  ...['auth', 'client', 'hello', 'info', 'readonly'],
]);
const SUBSCRIBES: ReadonlySet<string> = new Set(['subscribe', 'psubscribe', 'ssubscribe']);
const SUBSCRIBE_AGAIN_MS = 1_000;
/** How many commands may wait for a connection: many more than wait in a short outage. */
const MOST_WAITING = 10_000;

/**
 * An ioredis connection whose own commands after a reconnect may fail. ioredis 6 (`readyHandler`) looks at no result of
 * theirs, so that one which the connection's end overtakes is an unhandled rejection and ends the process. A caller of
 * these commands gets their errors as ever.
 *
 * A channel that Redis refuses to a new connection, for lack of a permission or during a slow script, is subscribed to
 * as soon as Redis lets it: ioredis would forget it for good.
 *
 * While there is no connection at most 10,000 commands wait, since ioredis has no bound. More of them fail at once.
 */
export class ReconnectingRedis extends Redis {
  #isReconnecting = false;
  #waiting = 0;
  /** What is subscribed to: `<command> <channel>`. */
  readonly #channels = new Set<string>();
  /** Those that Redis let it subscribe to before and then refused. */
  readonly #refused = new Set<string>();
  readonly #noted = new WeakSet<Command>();
  #subscribingAgain: NodeJS.Timeout | undefined;

  /** Whether Redis refuses a channel that it let this connection subscribe to before. */
  get lacksChannels(): boolean {
    return this.#refused.size > 0;
  }

  /**
   * ioredis asks for a reconnect at each reply that calls for one, and adds listeners to the same socket each time. One
   * chunk of replies may hold hundreds.
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
          // Whoever asked for a new one has the error.
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
