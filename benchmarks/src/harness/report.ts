/** A demand on a figure, such as `≤ 1.25 × floor`, and whether it was met. */
export interface Bar {
  readonly demand: string;
  readonly held: boolean;
}

/** One line of a benchmark's table. */
export interface Row {
  readonly scenario: string;
  /** The measured quantity and its unit. */
  readonly measure: string;
  /** By contender: the figure of each round. */
  readonly rounds: Readonly<Record<string, readonly number[]>>;
  /** By contender: the median of its rounds. */
  readonly figures: Readonly<Record<string, number>>;
  /** The ratio of the product's figure to another contender's: the median of the quotients within a round. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly bars: readonly Bar[];
}

/** Three significant digits, without an exponent. */
function shortNumber(value: number): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(digits, 2)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The rows as a Markdown table with aligned columns. The first contender is compared with the others. */
export function toTable(rows: readonly Row[], contenders: readonly string[]): string {
  const others = contenders.slice(1);
  const header = [
    ...['scenario', 'measured'],
    ...contenders,
    ...others.map((name) => `× ${name}`),
    ...['bar', 'held'],
  ];
  const lines = rows.flatMap(({ scenario, measure, figures, ratios, bars }) => {
    const [first, ...further] = bars.map(({ demand, held }) => [demand, held ? 'yes' : 'no']);
    const values = [
      ...contenders.map((name) => cellOf(figures[name])),
      ...others.map((name) => cellOf(ratios[name])),
    ];
    return [
      [scenario, measure, ...values, ...(first ?? ['', ''])],
      ...further.map((cells) => ['', '', ...values.map(() => ''), ...cells]),
    ];
  });
  const widths = header.map((_, column) =>
    Math.max(3, ...[header, ...lines].map((cells) => (cells[column] ?? '').length)),
  );
  const print = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [print(header), rule, ...lines.map(print)].join('\n');
}

function cellOf(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '' : shortNumber(value);
}
