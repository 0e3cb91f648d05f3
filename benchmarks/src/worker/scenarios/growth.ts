import type { Row } from '../../harness/report.js';
import { rowOf, type Scenario } from '../../harness/scenario.js';
import { medianRatio } from '../../harness/statistics.js';
import type { Contender } from '../contender.js';
import { inTurns } from '../in-turns.js';
import { lostRow } from '../lost-row.js';
import { Stage } from '../stage.js';

const MESSAGES = 1_000;
const PER_SECOND = 250;
/** Subtracts the idle CPU: keeping 1,000 connections alive is not part of a message, and would be 10% of its cost. */
const IDLE_MS = 2_000;
/** A ratio up to this counts as no growth, because rounds differ by as much. */
const NO_GROWTH = 1.15;

/** Workers with few and with many sessions, which receive the same number of messages. */
export const growth: Scenario = {
  name: 'growth',
  about: 'messages received by workers with 50, 200 and 1,000 sessions: CPU for each must not grow',

  async run({ cores, quick }) {
    const [fewest, ...others] = quick ? ([5, 20] as const) : ([50, 200, 1_000] as const);
    const messages = quick ? 20 : MESSAGES;
    const stage = await Stage.start(cores);
    try {
      const workers: Record<string, Contender> = {};
      for (const count of [fewest, ...others]) workers[count] = await stage.add('product', count);
      for (const worker of Object.values(workers)) await stage.acquaint(worker, 'contact', 120);
      const windows = await inTurns(workers, { quick }, (worker) =>
        stage.messages(worker, {
          direction: 'in',
          chat: 'contact',
          each: messages / worker.sessions.length,
          perSecond: PER_SECOND,
          idleMs: quick ? 200 : IDLE_MS,
        }),
      );
      const costOf = (sessions: number) =>
        (windows[sessions] ?? []).map(({ perUnitBeyondIdle }) => perUnitBeyondIdle);
      const rows = [fewest, ...others].map((sessions): Row => {
        const labels = { scenario: `received 1:1, ${sessions} sessions`, measure: 'CPU, µs/message' };
        const row = rowOf(labels, { product: costOf(sessions) }, (cost) => cost);
        if (sessions === fewest) return row;
        const ratio = medianRatio(costOf(sessions), costOf(fewest));
        const demand = `≤ ${NO_GROWTH} × that of ${fewest}: ${ratio.toFixed(2)}`;
        return { ...row, bars: [{ demand, held: ratio <= NO_GROWTH }] };
      });
      return [...rows, lostRow('messages of these workers', { product: Object.values(workers) })];
    } finally {
      await stage.stop();
    }
  },
};
