import type { Cores } from './cores.js';
import type { Bar, Row } from './report.js';
import { median, medianRatio } from './statistics.js';

/** What a scenario is run with. */
export interface Settings {
  readonly cores: Cores;
  /** Small and short: shows that it works; its figures mean little. */
  readonly quick: boolean;
}

/** One situation that the contenders are measured in. */
export interface Scenario {
  readonly name: string;
  /** In a line. */
  readonly about: string;
  /** @throws {Error} when an event got lost on the way, so that no figure comes from work that was not done. */
  run(settings: Settings): Promise<Row[]>;
}

/** How many rounds count. */
export function roundsOf({ quick }: Pick<Settings, 'quick'>): number {
  return quick ? 1 : 5;
}

/** What each contender's rounds gave; `product` is the one that is compared with the others. */
export type Rounds<T> = Readonly<Record<string, readonly T[]>>;

/** What the product may take at most: times what another takes, by its name, or in the row's own unit. */
export type Limits = Readonly<Partial<Record<string, number>>> & { readonly itself?: number };

/** A row of one figure of each contender's rounds. */
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
