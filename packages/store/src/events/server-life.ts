import type { RedisConnection } from '../redis/connection.js';
import { ConnectionArgument } from '../redis/script-command.js';

/**
 * How long an append may rely on what an earlier one has read, ms. This is less than a server needs to lose its role to
 * another one, copy that one's data and get the role back, while a connection to it stays open.
 */
const LIFE_KNOWN_MS = 1_000;

/** What one append does about the life of the server. */
export interface LifeCheck {
  /** The argument for the script: the life, or '' to read it. */
  readonly argument: ConnectionArgument | '';
  /** Call it when the append has ended. @param life the life that the script has read, if it did. */
  readonly ended: (life?: string) => void;
}

/**
 * What one writer knows of the life of the server that its connection leads to (see server-life.lua): what its appends
 * have read over the same connection within the last second. To read it is expensive. Before the last reading is too
 * old, one append at a time repeats it for all tenants, since the life belongs to the server.
 */
export class ServerLife {
  readonly #redis: Pick<RedisConnection, 'stream'>;
  /** `at`: when the append that has read it was begun, by the monotonic clock, ms. */
  #known: { readonly argument: ConnectionArgument; readonly at: number } | undefined;
  #isBeingRead = false;

  constructor(redis: Pick<RedisConnection, 'stream'>) {
    this.#redis = redis;
  }

  /** Call it in the turn of the event loop in which the append is sent. @param now by the monotonic clock, ms. */
  begin(now: number): LifeCheck {
    const { stream } = this.#redis;
    const known = this.#known?.argument.stream === stream ? this.#known : undefined;
    const isFresh =
      known !== undefined && now - known.at < (this.#isBeingRead ? LIFE_KNOWN_MS : LIFE_KNOWN_MS / 2);
    if (!isFresh) this.#isBeingRead = true;
    return {
      argument: isFresh ? known.argument : '',
      ended: (life) => {
        if (!isFresh) this.#isBeingRead = false;
        // If the connection broke meanwhile, the append was carried out over a later one. `begin` then finds another
        // stream.
        if (life !== undefined) this.#known = { argument: new ConnectionArgument(life, stream), at: now };
      },
    };
  }
}
