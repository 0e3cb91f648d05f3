import type { Row } from '../../harness/report.js';
import { rowOf, type Scenario } from '../../harness/scenario.js';
import { medianRatio } from '../../harness/statistics.js';
import { inTurns } from '../in-turns.js';
import { lostRow } from '../lost-row.js';
import { type Load, Stage } from '../stage.js';

const SESSIONS = 50;
/** What keeping the lists may cost a received message. */
const MOST = 1.2;

const LOADS: readonly { readonly about: string; readonly load: Load }[] = [
  { about: 'received 1:1', load: { direction: 'in', chat: 'contact', each: 10, perSecond: 120 } },
  { about: 'received in a group of 5', load: { direction: 'in', chat: 'group', each: 5, perSecond: 60 } },
];

/** Workers whose sessions keep lists of chats and contacts, and workers whose sessions do not. */
export const lists: Scenario = {
  name: 'lists',
  about: `messages received by ${SESSIONS} sessions that keep lists of chats and contacts, beside as many that do not`,

  async run({ cores, quick }) {
    const sessions = quick ? 5 : SESSIONS;
    const stage = await Stage.start(cores);
    try {
      const workers = {
        without: await stage.add('product', sessions),
        with: await stage.add('product', sessions, { settings: { lists: true } }),
      };
      for (const worker of Object.values(workers)) {
        await stage.acquaint(worker, 'contact', 50);
        await stage.acquaint(worker, 'group', 20);
      }
      const rows: Row[] = [];
      for (const { about, load } of LOADS) {
        const windows = await inTurns(workers, { quick }, (worker) => stage.messages(worker, load));
        const costs = (name: string) => (windows[name] ?? []).map(({ perUnit }) => perUnit);
        const ofRedis = (name: string) => (windows[name] ?? []).map(({ redisPerUnit }) => redisPerUnit);
        const ratio = medianRatio(costs('with'), costs('without'));
        const demand = `≤ ${MOST} × without lists: ${ratio.toFixed(2)}`;
        for (const [name, words] of [
          ['without', 'no lists'],
          ['with', 'lists kept'],
        ] as const) {
          const scenario = `${about}, ${sessions} sessions, ${words}`;
          const row = rowOf(
            { scenario, measure: 'CPU, µs/message' },
            { product: costs(name) },
            (cost) => cost,
          );
          rows.push(
            name === 'with' ? { ...row, bars: [{ demand, held: ratio <= MOST }] } : row,
            rowOf(
              { scenario, measure: 'CPU of Redis, µs/message' },
              { product: ofRedis(name) },
              (cost) => cost,
            ),
          );
        }
      }
      return [...rows, lostRow('messages of these workers', { product: Object.values(workers) })];
    } finally {
      await stage.stop();
    }
  },
};
