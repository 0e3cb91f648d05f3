import type { Place } from './allowed-places.js';
import { partsOf, type RecordedPart } from './recording.js';
import { type RedisWrite, redisWrites } from './redis-writes.js';
import type { RunRecord } from './run-record.js';

/** Data that left a process, and where it was found. */
export interface Source {
  readonly kind: Place['kind'];
  /** For a person. */
  readonly name: string;
  /** Only for a write to Redis. */
  readonly redis?: NonNullable<Place['redis']>;
  /** Whether the value should be sealed, so random bytes. It is then searched as raw bytes only, not as text. */
  readonly isSealed: boolean;
  readonly parts: () => Iterable<RecordedPart>;
  /** The sources that it consists of, in order. If it contains a secret, these are searched to find which has it. */
  readonly pieces?: readonly Source[];
}

const SEALED_KEY = /^wf:\{[^}]+\}:(?:auth|messages|media):/;
const BATCH_BYTES = 1024 ** 2;
const LOG_KEY = /^wf:\{[^}]+\}:log$/;

/** Everything that left the processes of a run. @param redisFiles the append-only files of its servers. */
export function* sourcesOf(run: RunRecord, redisFiles: readonly Buffer[]): Generator<Source> {
  for (const { name, command, output } of run.processes) {
    const commandLine = Buffer.from(command.join(' '));
    yield {
      kind: 'process',
      name: `the command line of ${name}`,
      isSealed: false,
      parts: () => partsOf(commandLine),
    };
    yield { kind: 'process', name: `the output of ${name}`, isSealed: false, parts: () => output.parts() };
  }
  for (const recording of run.received()) {
    yield { kind: 'client', name: recording.name, isSealed: false, parts: () => recording.parts() };
  }
  for (const file of redisFiles) yield* batchesOf(file);
}

/** Groups writes: there are many short ones, and each search has a fixed cost. */
function* batchesOf(file: Buffer): Generator<Source> {
  const open: Batch = new Batch(false);
  const sealed: Batch = new Batch(true);
  for (const write of redisWrites(file)) {
    const batch = SEALED_KEY.test(write.key) ? sealed : open;
    batch.add(write);
    if (batch.isFull) yield batch.take();
  }
  yield open.take();
  yield sealed.take();
}

class Batch {
  readonly #isSealed: boolean;
  #writes: RedisWrite[] = [];
  #bytes = 0;

  constructor(isSealed: boolean) {
    this.#isSealed = isSealed;
  }

  get isFull(): boolean {
    return this.#bytes > BATCH_BYTES;
  }

  add(write: RedisWrite): void {
    this.#writes.push(write);
    this.#bytes += write.bytes.length;
  }

  take(): Source {
    const whole = Buffer.concat(this.#writes.map(({ bytes }) => bytes));
    const pieces = this.#writes.map(sourceOf);
    this.#writes = [];
    this.#bytes = 0;
    const isSealed = this.#isSealed;
    return { kind: 'redis', name: 'what Redis has', isSealed, parts: () => partsOf(whole), pieces };
  }
}

function sourceOf(write: RedisWrite): Source {
  const { key, command, bytes } = write;
  const event = eventOf(write);
  const what = event === undefined ? `${command} ${key}` : `the event ${event} in ${key}`;
  return {
    kind: 'redis',
    name: `what Redis has by ${what}`,
    redis: { key, event },
    isSealed: SEALED_KEY.test(key),
    parts: () => partsOf(bytes),
  };
}

/** The name of the event that the write appends to a log. */
function eventOf({ command, key, args }: RedisWrite): string | undefined {
  if (command !== 'XADD' || !LOG_KEY.test(key)) return undefined;
  // `<id> m <event id> <event name> <session id> <body>`. The rest does not matter.
  const message = args[args.findIndex((each) => each.equals(MESSAGE_FIELD)) + 1];
  return message?.toString('latin1', 0, 256).split(' ')[1];
}

const MESSAGE_FIELD = Buffer.from('m');
