import { exchange, type Held, statusesIn } from './exchange.js';
import type { HostileInput } from './inputs.js';

/** The maximum of connections that the attacker never closes. Beyond it the oldest is reset. */
const MAX_HELD = 300;
const WAITS_FOR_A_WORKER = '"code":"NO_WORKER"';
const PROGRESS_EVERY = 500;
/** The attack stops at this number of faults: more tell nothing new. */
const MAX_FAULTS = 10;

interface AttackOptions {
  readonly inputs: number;
  /** Makes an input. The same number gives the same input. */
  readonly inputOf: (number: number) => HostileInput;
  /** Texts that no answer may contain. */
  readonly secrets: readonly string[];
  /** The names of processes that have ended. */
  readonly ended: () => readonly string[];
  readonly onProgress: (sent: number) => void;
}

/** Sends hostile inputs, several at a time, and checks every answer. */
export class Attack {
  readonly faults: string[] = [];
  readonly statuses = new Map<number, number>();
  readonly kinds = new Map<string, number>();
  readonly #options: AttackOptions;
  #held: { readonly input: HostileInput; readonly held: Held }[] = [];
  #sent = 0;

  constructor(options: AttackOptions) {
    this.#options = options;
  }

  get sent(): number {
    return this.#sent;
  }

  get isOver(): boolean {
    return this.#sent >= this.#options.inputs || this.faults.length >= MAX_FAULTS;
  }

  /** Resolves when all inputs are sent and answered, or when there are too many faults. */
  async run(atOnce: number): Promise<void> {
    await Promise.all(Array.from({ length: atOnce }, () => this.#attack()));
  }

  /** Ends the event streams that the attacker still reads: they last until their client closes them. */
  endStreams(): void {
    for (const { held } of this.#held) {
      if (held.answer().includes('text/event-stream')) held.socket.destroy();
    }
  }

  /** Checks what came on the connections that the attacker kept open, and closes them. */
  endAll(): void {
    for (const each of this.#held.splice(0)) this.#drop(each);
  }

  async #attack(): Promise<void> {
    while (!this.isOver) {
      const input = this.#options.inputOf(this.#sent);
      this.#sent += 1;
      if (this.#sent % PROGRESS_EVERY === 0) this.#options.onProgress(this.#sent);
      add(this.kinds, input.kind);
      const answer = await exchange(input, (held) => this.#hold(input, held));
      if (input.ending !== 'hold') this.#check(input, answer.toString('latin1'));
    }
  }

  #hold(input: HostileInput, held: Held): void {
    this.#held.push({ input, held });
    const oldest = this.#held.length > MAX_HELD ? this.#held.shift() : undefined;
    if (oldest !== undefined) this.#drop(oldest);
  }

  #drop({ input, held }: { input: HostileInput; held: Held }): void {
    this.#check(input, held.answer());
    held.socket.resetAndDestroy();
  }

  #check(input: HostileInput, answer: string): void {
    const statuses = statusesIn(answer);
    for (const status of statuses) add(this.statuses, status);
    const failures = statuses.filter((status) => status >= 500);
    // A session that the attacker just created waits for a worker. The contract has that answer: it is not a failure.
    const waiting = answer.split(WAITS_FOR_A_WORKER).length - 1;
    const why = [
      ...(failures.length > waiting ? [`status ${failures.join(' ')}`] : []),
      ...this.#options.secrets.filter((secret) => answer.includes(secret)).map(() => 'a secret'),
      ...this.#options.ended().map((name) => `${name} has ended`),
    ];
    if (why.length > 0) this.faults.push(`${why.join(', ')}: ${described(input)} -> ${answer.slice(0, 800)}`);
  }
}

function described({ number, kind, bytes, ending, cutAt, pauseMs }: HostileInput): string {
  const shown = JSON.stringify(bytes.toString('latin1').slice(0, 1_500));
  return `input ${number} (${kind}; FUZZ_FIRST=${number} FUZZ_INPUTS=1; ${ending} at ${cutAt} after ${pauseMs} ms): ${shown}`;
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
