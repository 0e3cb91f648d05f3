/** Numbers of a run: a value, or several, of which the middle and the largest are told. */
export type Figures = Readonly<Record<string, string | number | readonly number[]>>;

/**
 * Prints what a scenario measured, in one line. It is for people to read; what must hold is asserted on conditions,
 * since a busy machine is slow without being wrong. Several values are told by their count, median and maximum.
 */
export function report(scenario: string, figures: Figures): void {
  const told = Object.entries(figures).map(([name, value]) => `${name}=${text(value)}`);
  process.stdout.write(`[${scenario}] ${told.join(' ')}\n`);
}

/** The value that `share` (0 to 1) of the values do not exceed; NaN of none. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function text(value: string | number | readonly number[]): string {
  if (typeof value !== 'object') return String(value);
  return `n:${value.length},p50:${percentile(value, 0.5)},max:${percentile(value, 1)}`;
}
