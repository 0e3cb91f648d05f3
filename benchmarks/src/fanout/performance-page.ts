import type { Machine } from '../harness/machine.js';
import { toTable } from '../harness/report.js';
import { CONTENDERS, type Outcome } from './fanout.js';

const METHOD = [
  'Each scenario runs the three at the same time against the same Redis and loads them in turns, A B C A B C.',
  'A figure is the median of five rounds, after one that warms up; a ratio (×) is the median of the quotients within a round.',
  "CPU is that of the server's process, from the first event to the last delivery, in its own code and in the kernel's on its behalf.",
  'A round in which a delivery is missing, or comes twice, is no result: the run fails.',
  'Saturated means that the server finds all events waiting for it.',
  'Half load is the rate at which the busiest of the servers and their publishers is half busy, the same for all.',
  "The times from worker to client are taken at that rate and include the load generator's own turn.",
  'Memory is what 10,000 connected and subscribed clients add to a server that has clients already, after a garbage collection; it is taken once.',
  'Of append and publish the CPU is that of Redis, with an append-only file; the floor there is a bare XADD and SPUBLISH, the peer a bare PUBLISH.',
  'Payloads are those in [benchmarks/payloads](../benchmarks/payloads/README.md), about 900 bytes each.',
].join('\n');

const COMMANDS = `\`\`\`sh
npm run bench -- fanout                               # all of it, in about ten minutes
npm run bench -- fanout --scenario many-subscribers   # one scenario
npm run bench -- fanout --write                       # and writes this page
\`\`\``;

/** The page docs/performance.md. */
export function performancePage({ rows, cores }: Outcome, machine: Machine): string {
  const { cores: count, memoryGb, node, redis } = machine;
  const parts = [
    '# Performance',
    'What an event costs on its way from a worker to clients, beside the least that Node can do and beside the usual way to do it.',
    Object.entries(CONTENDERS)
      .map(([name, about]) => `- **${name}**: ${about}`)
      .join('\n'),
    toTable(rows, Object.keys(CONTENDERS)),
    `Measured on ${count} cores with ${memoryGb} GB, Node.js ${node}, Redis ${redis}; ${cores}.\nTrust the ratios: the figures are those of one small machine, which the load and Redis share with what is measured.`,
    '## How it is measured',
    METHOD,
    COMMANDS,
  ];
  return `${parts.join('\n\n')}\n`;
}
