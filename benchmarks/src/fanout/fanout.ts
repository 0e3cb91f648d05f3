import { assignCores } from '../harness/cores.js';
import type { Row } from '../harness/report.js';
import type { Scenario } from './scenario.js';
import { append } from './scenarios/append.js';
import { halfLoad } from './scenarios/half-load.js';
import { idleClients } from './scenarios/idle-clients.js';
import { manySubscribers } from './scenarios/many-subscribers.js';
import { noSubscribers } from './scenarios/no-subscribers.js';
import { oneSubscriber } from './scenarios/one-subscriber.js';
import { replay } from './scenarios/replay.js';

export const SCENARIOS: readonly Scenario[] = [
  oneSubscriber,
  halfLoad,
  manySubscribers,
  noSubscribers,
  idleClients,
  append,
  replay,
];

/** The columns of the table, and what each stands for. */
export const CONTENDERS = {
  product: 'an edge of Wafleet, as it is deployed',
  floor:
    'ioredis, and one `send` of a string for each client by `ws`: no keys, no log, no protocol above WebSocket',
  peer: 'a stock Socket.IO server with @socket.io/redis-adapter, published to by @socket.io/redis-emitter',
} as const;

export interface Failure {
  readonly scenario: string;
  readonly reason: string;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  /** Which cores did what. */
  readonly cores: string;
}

/** Runs the scenarios one after the other. One that fails does not keep the others from running. */
export async function runFanout(options: {
  scenarios: readonly Scenario[];
  quick: boolean;
  onProgress: (line: string) => void;
}): Promise<Outcome> {
  const { scenarios, quick, onProgress } = options;
  const cores = assignCores();
  onProgress(`Cores: ${cores.description}.`);
  const rows: Row[] = [];
  const failures: Failure[] = [];
  for (const { name, about, run } of scenarios) {
    onProgress(`${name}: ${about} …`);
    const begun = performance.now();
    try {
      rows.push(...(await run({ cores, quick })));
      onProgress(`${name}: done in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ scenario: name, reason });
      onProgress(`${name}: failed: ${reason}`);
    }
  }
  return { rows, failures, cores: cores.description };
}
