import type { Row } from '../../harness/report.js';
import { rowOf, type Scenario } from '../../harness/scenario.js';
import { median } from '../../harness/statistics.js';
import { inTurns } from '../in-turns.js';
import { lostRow } from '../lost-row.js';
import { type Load, Stage, type Window } from '../stage.js';

const SESSIONS = 200;
/** Low enough that no message waits for another one, so that the times are those of one send. */
const LOAD: Load = { direction: 'out', chat: 'contact', each: 1, perSecond: 30 };
/** Of both processes together, beside plain Baileys. */
const CPU_LIMIT = 0.6;
const ADDED_MS = 3;

const KINDS = [
  { about: 'sent 1:1 over REST', load: LOAD },
  { about: 'the same with a key', load: { ...LOAD, isKeyed: true } },
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
      for (const { about, load } of KINDS) {
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

function rowsOf(scenario: string, windows: Readonly<Record<string, readonly Window[]>>): Row[] {
  const { product = [], peer = [] } = windows;
  const time = rowOf({ scenario, measure: 'time, p50, ms' }, windows, ({ sendTimes }) => median(sendTimes));
  const added = median(
    product.map(({ sendTimes }, round) => median(sendTimes) - median(peer[round]?.sendTimes ?? [])),
  );
  return [
    rowOf({ scenario, measure: 'CPU of edge and worker, µs/message' }, windows, ({ perUnit }) => perUnit, {
      peer: CPU_LIMIT,
    }),
    rowOf({ scenario, measure: 'CPU of Redis, µs/message' }, { product }, ({ redisPerUnit }) => redisPerUnit),
    {
      ...time,
      bars: [{ demand: `≤ peer + ${ADDED_MS} ms: ${added.toFixed(1)} more`, held: added <= ADDED_MS }],
    },
  ];
}
