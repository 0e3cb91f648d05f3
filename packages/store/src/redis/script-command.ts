import { Command } from 'ioredis';
import type { RedisConnection } from './connection.js';

type Stream = RedisConnection['stream'];

/**
 * An argument of a script that holds on one connection to Redis: on any other one it is sent as ''. After a reconnect
 * ioredis sends each command without an answer again, and the new connection may lead to another server, or to the same
 * one after a restart.
 */
export class ConnectionArgument {
  readonly value: string;
  readonly stream: Stream;

  /** @param stream the connection's stream when the value was learned. */
  constructor(value: string, stream: Stream) {
    this.value = value;
    this.stream = stream;
  }
}

/** An argument of a script. At most one of them is a ConnectionArgument. */
export type ScriptArgument = string | number | Buffer | ConnectionArgument;

/** A call of a script. */
export class ScriptCommand extends Command {
  readonly #bound: ConnectionArgument | undefined;
  readonly #index: number;

  /** @param options.binary whether the reply has bytes in place of texts. */
  constructor(name: string, args: readonly ScriptArgument[], { binary }: { binary: boolean }) {
    const bound = args.find((arg) => arg instanceof ConnectionArgument);
    super(
      name,
      args.map((arg) => (arg instanceof ConnectionArgument ? '' : arg)),
      { replyEncoding: binary ? null : 'utf8' },
    );
    this.#bound = bound;
    this.#index = bound === undefined ? -1 : args.indexOf(bound);
  }

  /** ioredis calls this each time that it writes the command, with the stream that it writes to. */
  override toWritable(stream: object): string | Buffer {
    const bound = this.#bound;
    if (bound !== undefined) this.args[this.#index] = stream === bound.stream ? bound.value : '';
    return super.toWritable(stream);
  }
}
