import type { Bar, Row } from '../harness/report.js';
import { median, medianRatio } from '../harness/statistics.js';
import type { Window } from './stage.js';

/** The windows of a scenario: one of each kind per round. */
export interface Rounds {
  readonly attacked: readonly Window[];
  readonly quiet: readonly Window[];
}

/** The limit for the neighbour: a multiple of the time without the attack, or a number of additional ms. */
const BAR = { times: 2, more: 20 };

/** Number of rows about the attacker: the most frequent outcomes. */
const ANSWERS = 4;

type Figure = (window: Window) => number;

/** @param rest.sends whether the neighbour sent messages. */
export function rowsOf(scenario: string, rounds: Rounds, { sends }: { sends: boolean }): Row[] {
  const p99 = (measure: string, figure: Figure) => latencyRow({ scenario, measure }, rounds, figure);
  const plain = (measure: string, figure: Figure) => row({ scenario, measure }, rounds, figure);
  const all = [...rounds.attacked, ...rounds.quiet];
  const calls = sum(
    all,
    ({ measured: { reads, sends: sent } }) => reads.attacked.count + reads.other.count + sent.count,
  );
  const events = 2 * sum(all, (window) => window.events);
  return [
    ...(sends
      ? [
          p99('send, p99, ms', ({ measured }) => measured.sends.p99),
          plain('send, p50, ms', ({ measured }) => measured.sends.p50),
        ]
      : []),
    p99('GET, p99, ms', ({ measured }) => measured.reads.attacked.p99),
    plain('GET, p50, ms', ({ measured }) => measured.reads.attacked.p50),
    p99('GET by the other edge, p99, ms', ({ measured }) => measured.reads.other.p99),
    p99('event, p99, ms', ({ received }) => received.attacked.p99),
    plain('event, p50, ms', ({ received }) => received.attacked.p50),
    p99('event by the other edge, p99, ms', ({ received }) => received.other.p99),
    zeroRow(
      { scenario, measure: `failed, of ${calls.toLocaleString('en')} calls` },
      rounds,
      ({ measured }) => measured.failed.length,
    ),
    zeroRow(
      { scenario, measure: `lost, of ${events.toLocaleString('en')} events` },
      rounds,
      ({ received }) => received.attacked.missing + received.other.missing,
    ),
    plain('memory of the attacked edge, MB', ({ edgeMegabytes }) => edgeMegabytes),
    plain('memory of Redis, MB', ({ redisMegabytes }) => redisMegabytes),
    ...answersOf(rounds.attacked).map((answer) =>
      attackRow({ scenario, measure: `attacker: ${answer}` }, rounds, answer),
    ),
  ];
}

function row(
  labels: Pick<Row, 'scenario' | 'measure'>,
  rounds: Rounds,
  figure: Figure,
  bars: Bar[] = [],
): Row {
  const attacked = rounds.attacked.map(figure);
  const quiet = rounds.quiet.map(figure);
  return {
    ...labels,
    rounds: { attacked, quiet },
    figures: { attacked: median(attacked), quiet: median(quiet) },
    ratios: { quiet: medianRatio(attacked, quiet) },
    bars,
  };
}

function latencyRow(labels: Pick<Row, 'scenario' | 'measure'>, rounds: Rounds, figure: Figure): Row {
  const attacked = median(rounds.attacked.map(figure));
  const quiet = median(rounds.quiet.map(figure));
  const more = attacked - quiet;
  const demand = `≤ ${BAR.times} × or ${BAR.more} ms more: ${more < 0 ? '' : '+'}${more.toFixed(1)}`;
  const held = attacked <= BAR.times * quiet || more <= BAR.more;
  return row(labels, rounds, figure, [{ demand, held }]);
}

/** A total over all windows, which must be 0. */
function zeroRow(labels: Pick<Row, 'scenario' | 'measure'>, rounds: Rounds, figure: Figure): Row {
  const attacked = sum(rounds.attacked, figure);
  const quiet = sum(rounds.quiet, figure);
  return {
    ...labels,
    rounds: { attacked: rounds.attacked.map(figure), quiet: rounds.quiet.map(figure) },
    figures: { attacked, quiet },
    ratios: {},
    bars: [{ demand: '≤ 0', held: attacked + quiet === 0 }],
  };
}

function attackRow(labels: Pick<Row, 'scenario' | 'measure'>, { attacked }: Rounds, answer: string): Row {
  const counts = attacked.map(({ attack }) => attack[answer] ?? 0);
  return {
    ...labels,
    rounds: { attacked: counts },
    figures: { attacked: median(counts) },
    ratios: {},
    bars: [],
  };
}

/** The attacker's actions and the answers to them, the most frequent first. */
function answersOf(windows: readonly Window[]): string[] {
  const sums = new Map<string, number>();
  for (const { attack } of windows) {
    for (const [answer, count] of Object.entries(attack)) sums.set(answer, (sums.get(answer) ?? 0) + count);
  }
  return [...sums]
    .sort(([, a], [, b]) => b - a)
    .slice(0, ANSWERS)
    .map(([answer]) => answer);
}

function sum(windows: readonly Window[], figure: Figure): number {
  return windows.reduce((total, window) => total + figure(window), 0);
}
