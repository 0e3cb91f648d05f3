import { readFile, writeFile } from 'node:fs/promises';
import type { SoakOptions, SoakResult } from './soak.js';

const BEGIN = '<!-- npm run soak -- --write: begin -->';
const END = '<!-- npm run soak -- --write: end -->';

/** A Markdown table of what a soak did and found. */
export function soakTable(options: SoakOptions, result: SoakResult): string {
  const { violations, faults, outcomes, latenciesMs, longestGap } = result;
  const count = (list: readonly unknown[]) => String(list.length);
  const total = Object.values(faults).reduce((sum, each) => sum + each, 0);
  const rows: [string, string][] = [
    ['seed, minutes', `${options.seed}, ${options.minutes}`],
    ['Node.js', process.versions.node],
    ['sessions', String(result.sessions)],
    ['faults', `${total}: ${listed(faults)}`],
    ['messages to the sessions', String(result.sent)],
    ['deliveries to clients', String(result.deliveries)],
    ['**lost**', count(violations.lost)],
    ['**out of order**', count(violations.disordered)],
    ['**events of another tenant**', count(violations.foreign)],
    ['**holes and faults in a stream**', count(violations.stream)],
    ['**duplicates without an explanation**', count(violations.unexplainedDuplicates)],
    ['duplicates that a fault explains', count(result.explainedDuplicates)],
    ['not decrypted at first, healed', String(result.healed)],
    ['**sessions left behind**', count(violations.stuck)],
    ['texts sent by REST', listed(outcomes)],
    ['**answered 200 and not readable at the phone**', count(violations.sends.acknowledgedButMissing)],
    ['**sent twice**', count(violations.sends.doubled)],
    ['**refused and sent all the same**', count(violations.sends.refusedButSent)],
    ['**processes that ended unasked, or did not end or start**', count(violations.processes)],
    [
      'latency p50 / p99 / max',
      [0.5, 0.99, 1].map((share) => seconds(percentile(latenciesMs, share))).join(' / '),
    ],
    ['longest gap of a client', `${seconds(longestGap.ms)}, during: ${longestGap.faults.join(', ')}`],
    ['peak memory, MiB', listed(result.peakMemoryMiB)],
  ];
  return ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n');
}

/** Puts the table into its place in docs/reliability.md. */
export async function writeTable(page: URL, table: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error('docs/reliability.md has no place for the table of the soak');
  await writeFile(page, `${text.slice(0, from)}${BEGIN}\n\n${table}\n\n${text.slice(to)}`);
}

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
