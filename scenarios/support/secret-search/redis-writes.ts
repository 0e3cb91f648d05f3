/** A write to Redis, from its append-only file. That file has the writes of scripts as plain commands. */
export interface RedisWrite {
  /** All of it. It shares the file's memory, as `args` do. */
  readonly bytes: Buffer;
  /** In capitals. */
  readonly command: string;
  /** `''` where there is none. */
  readonly key: string;
  /** What follows the key. */
  readonly args: readonly Buffer[];
}

const LINE_END = '\r\n';

/**
 * The complete writes in an append-only file, oldest first. A server that was killed may leave half a write at the end.
 * @throws if it is not a sequence of commands in the protocol of Redis (RESP2 arrays of bulk strings).
 */
export function* redisWrites(file: Buffer): Generator<RedisWrite> {
  let at = 0;
  while (at < file.length) {
    const read = readCommand(file, at);
    if (read === undefined) return;
    const [command = Buffer.alloc(0), key = Buffer.alloc(0), ...args] = read.words;
    const bytes = file.subarray(at, read.end);
    yield { bytes, command: command.toString('latin1').toUpperCase(), key: key.toString(), args };
    at = read.end;
  }
}

function readCommand(file: Buffer, begin: number): { words: Buffer[]; end: number } | undefined {
  const head = readNumber(file, begin, '*');
  if (head === undefined) return undefined;
  const words: Buffer[] = [];
  let at = head.end;
  for (let index = 0; index < head.value; index += 1) {
    const length = readNumber(file, at, '$');
    if (length === undefined || length.end + length.value + LINE_END.length > file.length) return undefined;
    words.push(file.subarray(length.end, length.end + length.value));
    at = length.end + length.value + LINE_END.length;
  }
  return { words, end: at };
}

/** A line of a sign and a number. Undefined if the file ends before the line does. */
function readNumber(file: Buffer, at: number, sign: string): { value: number; end: number } | undefined {
  const end = file.indexOf(LINE_END, at);
  if (end < 0) return undefined;
  const line = file.toString('latin1', at, Math.min(end, at + 32));
  if (!/^.\d+$/.test(line) || !line.startsWith(sign)) {
    throw new Error(`byte ${at} of the append-only file begins no command`);
  }
  return { value: Number(line.slice(1)), end: end + LINE_END.length };
}
