import type { Bench, Outcome } from './bench.js';
import type { Machine } from './machine.js';
import { toTable } from './report.js';

const begin = (name: string) => `<!-- npm run bench -- ${name} --write: begin -->`;
const end = (name: string) => `<!-- npm run bench -- ${name} --write: end -->`;

/**
 * Returns the page with the section of one bench replaced. The sections of others stay unchanged.
 * @throws {Error} if the page does not have the two markers of the bench.
 */
export function withBench(page: string, bench: Bench, outcome: Outcome, machine: Machine): string {
  const from = page.indexOf(begin(bench.name));
  const to = page.indexOf(end(bench.name));
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${bench.name}`);
  const before = page.slice(0, from + begin(bench.name).length);
  return `${before}\n\n${partOf(bench, outcome, machine)}\n\n${page.slice(to)}`;
}

function partOf({ name, contenders, page }: Bench, { rows, cores }: Outcome, machine: Machine): string {
  const { cores: count, memoryGb, node, redis } = machine;
  return [
    `## ${page.title}`,
    page.purpose,
    Object.entries(contenders)
      .map(([contender, about]) => `- **${contender}**: ${about}`)
      .join('\n'),
    toTable(rows, Object.keys(contenders)),
    `Measured on ${count} cores with ${memoryGb} GB, Node.js ${node}, Redis ${redis}; ${cores}.\nTrust the ratios: the figures are those of one small machine, which the load and Redis share with what is measured.`,
    '### How it is measured',
    page.method.join('\n'),
    `\`\`\`sh
npm run bench -- ${name}                   # all of it, in about ten minutes
npm run bench -- ${name} --scenario NAME   # one scenario
npm run bench -- ${name} --write           # and writes this part of the page
\`\`\``,
  ].join('\n\n');
}
