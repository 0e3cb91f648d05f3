import { type Rounds, roundsOf, rowOf, type Scenario } from '../../harness/scenario.js';
import { median } from '../../harness/statistics.js';
import type { Window } from '../stage.js';
import { ONE_SUBSCRIBER_LIMITS, saturating, startLoners } from './one-subscriber.js';

const SECONDS = 4;

/** Every event has one subscriber, and arrives when the servers are not saturated. */
export const halfLoad: Scenario = {
  name: 'half-load',
  about: 'each event goes to one client of many, at half load: CPU, and time from worker to client',

  async run(settings) {
    const stage = await startLoners(settings);
    try {
      const perSecond = halfOf(await stage.rounds(1, saturating(stage)));
      const clients = stage.audiences.length;
      const events = Math.ceil((perSecond * (settings.quick ? 1 : SECONDS)) / clients) * clients;
      const windows = await stage.rounds(roundsOf(settings), { events, perSecond, timed: true });
      const row = (measure: string, figure: (window: Window) => number, limits = {}) =>
        rowOf(
          { scenario: `1 subscriber, half load (${perSecond} events/s)`, measure },
          windows,
          figure,
          limits,
        );
      return [
        row('CPU, µs/event', ({ perEvent }) => perEvent, ONE_SUBSCRIBER_LIMITS),
        row('core in use, %', ({ busy }) => busy * 100),
        row('worker → client, p50, ms', ({ latencies }) => latencies.p50),
        row('worker → client, p99, ms', ({ latencies }) => latencies.p99),
      ];
    } finally {
      await stage.stop();
    }
  },
};

/** The rate that keeps the busiest server or publisher half busy, so that no process waits for a saturated one. */
function halfOf(saturated: Rounds<Window>): number {
  const paces = Object.values(saturated).flatMap((windows) => [
    median(windows.map(({ perEvent }) => 1_000_000 / perEvent)),
    median(windows.map(({ publishedPerSecond }) => publishedPerSecond)),
  ]);
  return Math.round(Math.min(...paces) / 2 / 100) * 100;
}
