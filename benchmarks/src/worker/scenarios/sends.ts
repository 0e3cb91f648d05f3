import type { Row } from '../../harness/report.js';
import { rowOf, type Scenario } from '../../harness/scenario.js';
import { median } from '../../harness/statistics.js';
import { inTurns } from '../in-turns.js';
import { lostRow } from '../lost-row.js';
import { type Load, Stage, type Window } from '../stage.js';

const SESSIONS = 200;
/** A rate that plain Baileys can sustain on one core. */
const LOAD: Load = { direction: 'out', chat: 'contact', each: 2, perSecond: 50 };
/** Low enough that hardly a message waits for another one, so that the times are those of one send. */
const SLOW: Load = { ...LOAD, perSecond: 20 };
/** Of both processes together, beside plain Baileys. */
const CPU_LIMIT = 0.6;
const ADDED_MS = 3;

interface Measurement {
  readonly about: string;
  readonly load: Load;
  readonly rows: (scenario: string, windows: Windows) => Row[];
}

type Windows = Readonly<Record<string, readonly Window[]>>;

const MEASUREMENTS: readonly Measurement[] = [
  { about: 'sent 1:1 over REST', load: LOAD, rows: cpuRows },
  { about: 'the same with an Idempotency-Key', load: { ...LOAD, isKeyed: true }, rows: cpuRows },
  { about: 'the same, 20 a second', load: { ...SLOW, isKeyed: true }, rows: timeRows },
];

/** Messages sent through the whole path: edge, Redis, worker. */
export const sends: Scenario = {
  name: 'sends',
  about: `messages sent by REST calls to an edge, ${SESSIONS} sessions: CPU of edge and worker, and time, for each`,

  async run({ cores, quick }) {
    const sessions = quick ? 10 : SESSIONS;
    const stage = await Stage.start(cores);
    try {
      const contenders = {
        product: await stage.add('product', sessions, { hasEdge: true }),
        peer: await stage.add('peer', sessions),
      };
      for (const contender of Object.values(contenders)) await stage.acquaint(contender, 'contact', 25);
      const rows: Row[] = [];
      for (const { about, load, rows: rowsOf } of MEASUREMENTS) {
        const windows = await inTurns(contenders, { quick }, (contender) => stage.messages(contender, load));
        rows.push(...rowsOf(`${about}, ${sessions} sessions`, windows));
      }
      return [
        ...rows,
        lostRow(`sends, ${sessions} sessions`, { product: [contenders.product], peer: [contenders.peer] }),
      ];
    } finally {
      await stage.stop();
    }
  },
};

function cpuRows(scenario: string, windows: Windows): Row[] {
  const { product = [] } = windows;
  return [
    rowOf({ scenario, measure: 'CPU of edge and worker, µs/message' }, windows, ({ perUnit }) => perUnit, {
      peer: CPU_LIMIT,
    }),
    rowOf({ scenario, measure: 'CPU of Redis, µs/message' }, { product }, ({ redisPerUnit }) => redisPerUnit),
  ];
}

function timeRows(scenario: string, windows: Windows): Row[] {
  const { product = [], peer = [] } = windows;
  const timeOf = (window: Window | undefined) => median(window?.sendTimes ?? []);
  const added = median(product.map((window, round) => timeOf(window) - timeOf(peer[round])));
  const demand = `≤ peer + ${ADDED_MS} ms: ${added.toFixed(1)} more`;
  const row = rowOf({ scenario, measure: 'time, p50, ms' }, windows, timeOf);
  return [{ ...row, bars: [{ demand, held: added <= ADDED_MS }] }];
}
