/** Numbers of a run: single values, or lists, which are printed as count, median and maximum. */
export type Figures = Readonly<Record<string, string | number | readonly number[]>>;

/**
 * Prints in one line what a scenario measured, for people to read. Scenarios assert conditions instead of these
 * numbers, because a busy machine is slow without being wrong. Prints a list as its count, median and maximum.
 */
export function report(scenario: string, figures: Figures): void {
  const reported = Object.entries(figures).map(([name, value]) => `${name}=${text(value)}`);
  process.stdout.write(`[${scenario}] ${reported.join(' ')}\n`);
}

/** The value that `share` (0 to 1) of the values do not exceed. NaN if there are no values. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function text(value: string | number | readonly number[]): string {
  if (typeof value !== 'object') return String(value);
  return `n:${value.length},p50:${percentile(value, 0.5)},max:${percentile(value, 1)}`;
}
