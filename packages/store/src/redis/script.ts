import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisConnection } from './connection.js';
import { type ScriptArgument, ScriptCommand } from './script-command.js';
import { type Fence, FencedError } from './session-ref.js';

const INCLUDE = /^-- @include (\S+)$/gm;

/** Reads packages/store/src/<name>.lua; a line `-- @include <name>` stands for that file's text. */
function readLua(name: string): string {
  const source = readFileSync(new URL(`../../src/${name}.lua`, import.meta.url), 'utf8');
  return source.replace(INCLUDE, (_line, included: string) => readLua(included));
}

function hasErrorCode(error: unknown, code: string): boolean {
  return error instanceof Error && error.message.startsWith(code);
}

/**
 * A Lua script that runs by its hash. Its text is sent only if Redis does not know it, for example after a restart.
 * `parse` turns the reply into the script's result, so that callers only get typed values.
 */
export class Script<Result> {
  readonly #source: string;
  readonly #hash: string;
  readonly #parse: (reply: unknown) => Result;

  constructor(name: string, parse: (reply: unknown) => Result) {
    this.#source = readLua(name);
    this.#hash = createHash('sha1').update(this.#source).digest('hex');
    this.#parse = parse;
  }

  async run(
    redis: RedisConnection,
    keys: readonly string[],
    args: readonly ScriptArgument[],
    { binary = false }: { binary?: boolean } = {},
  ): Promise<Result> {
    const send = (name: string, script: string): unknown =>
      redis.sendCommand(new ScriptCommand(name, [script, keys.length, ...keys, ...args], { binary }));
    try {
      return this.#parse(await send('evalsha', this.#hash));
    } catch (error) {
      if (!hasErrorCode(error, 'NOSCRIPT')) throw error;
      return this.#parse(await send('eval', this.#source));
    }
  }
}

/** A script that begins with the fence: KEYS[1] is the owner record, ARGV[1] the epoch, ARGV[2] the worker. */
export class FencedScript<Result> {
  readonly #script: Script<Result>;

  constructor(name: string, parse: (reply: unknown) => Result) {
    this.#script = new Script(name, parse);
  }

  /** @throws {FencedError} if the fence no longer owns the session. In that case nothing was written. */
  async run(
    redis: RedisConnection,
    ownerKey: string,
    fence: Fence,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<Result> {
    try {
      return await this.#script.run(redis, [ownerKey, ...keys], [fence.epoch, fence.worker, ...args]);
    } catch (error) {
      if (hasErrorCode(error, 'FENCED')) throw new FencedError(fence);
      throw error;
    }
  }
}
