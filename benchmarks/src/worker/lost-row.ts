import type { Row } from '../harness/report.js';
import { rowOf } from '../harness/scenario.js';
import type { Contender } from './contender.js';

/** The number of lost messages, in and before all windows, of one or more processes of each contender. */
export function lostRow(scenario: string, processes: Readonly<Record<string, readonly Contender[]>>): Row {
  const sums = Object.entries(processes).map(([name, contenders]) => {
    const sum = (key: 'offered' | 'arrived') =>
      contenders.reduce((total, { tally }) => total + tally[key], 0);
    return [name, { offered: sum('offered'), arrived: sum('arrived') }] as const;
  });
  const offered = Math.max(...sums.map(([, tally]) => tally.offered));
  return rowOf(
    { scenario, measure: `lost, of ${offered.toLocaleString('en')} messages each` },
    Object.fromEntries(sums.map(([name, tally]) => [name, [tally]])),
    (tally) => tally.offered - tally.arrived,
    { itself: 0 },
  );
}
