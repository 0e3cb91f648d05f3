import type { Cores } from './cores.js';
import type { Bar, Row } from './report.js';
import { median, medianRatio } from './statistics.js';

/** The settings of a scenario's run. */
export interface Settings {
  readonly cores: Cores;
  /** Small and short: checks that the scenario works. Its figures are not meaningful. */
  readonly quick: boolean;
}

/** One situation in which the contenders are measured. */
export interface Scenario {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** @throws {Error} if an event was lost, so that no figure is based on work that was not done. */
  run(settings: Settings): Promise<Row[]>;
}

/** The number of rounds that count. */
export function roundsOf({ quick }: Pick<Settings, 'quick'>): number {
  return quick ? 1 : 5;
}

/** The results of each contender's rounds. `product` is compared with the others. */
export type Rounds<T> = Readonly<Record<string, readonly T[]>>;

/** The product's upper limit: a multiple of another contender's figure, or a value in the row's unit. */
export type Limits = Readonly<Partial<Record<string, number>>> & { readonly itself?: number };

/** Builds a row from one figure of each contender's rounds. */
export function rowOf<T>(
  labels: Pick<Row, 'scenario' | 'measure'>,
  rounds: Rounds<T>,
  figure: (round: T) => number,
  limits: Limits = {},
): Row {
  const { product = [], ...others } = figuresOf(rounds, figure);
  const ratios = Object.fromEntries(
    Object.entries(others).map(([name, values]) => [name, medianRatio(product, values)]),
  );
  const figures = Object.fromEntries(
    Object.entries({ product, ...others }).map(([name, values]) => [name, median(values)]),
  );
  const bars: Bar[] = [
    ...Object.entries(ratios).flatMap(([name, ratio]) => {
      const limit = limits[name];
      return limit === undefined ? [] : [{ demand: `≤ ${limit} × ${name}`, held: ratio <= limit }];
    }),
    ...(limits.itself === undefined
      ? []
      : [{ demand: `≤ ${limits.itself}`, held: median(product) <= limits.itself }]),
  ];
  return { ...labels, rounds: { product, ...others }, figures, ratios, bars };
}

function figuresOf<T>(rounds: Rounds<T>, figure: (round: T) => number): Record<string, number[]> {
  return Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, values.map(figure)]));
}
