import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { CONTENDERS, type Outcome, runFanout, SCENARIOS } from './fanout/fanout.js';
import { performancePage } from './fanout/performance-page.js';
import { describeMachine, type Machine } from './harness/machine.js';
import { toTable } from './harness/report.js';

const PAGE = new URL('../../docs/performance.md', import.meta.url);
const WIDTH = 18;

const help = `npm run bench -- <bench> [options]

fanout             what an event costs on its way to clients, beside a floor and a peer

  --quick          small and short: shows that it works; its figures mean little
  --scenario NAME  this one only; may be given several times
  --json           prints JSON in place of a table
  --write          writes docs/performance.md

Scenarios of fanout:
${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(WIDTH)}${about}`).join('\n')}
`;

if (process.platform !== 'linux') throw new Error('a bench reads CPU times from /proc: it needs Linux');
await run();

async function run(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [bench] = positionals;
  const unknown = values.scenario.filter((wanted) => !SCENARIOS.some(({ name }) => name === wanted));
  if (values.help || bench !== 'fanout' || unknown.length > 0) {
    process.stdout.write(help);
    if (unknown.length > 0) process.stderr.write(`\nThere is no scenario ${unknown.join(', ')}.\n`);
    else if (bench !== undefined && bench !== 'fanout')
      process.stderr.write(`\nThere is no bench ${bench}.\n`);
    process.exitCode = values.help || positionals.length === 0 ? 0 : 1;
    return;
  }
  const scenarios =
    values.scenario.length === 0 ? SCENARIOS : SCENARIOS.filter(({ name }) => values.scenario.includes(name));
  const outcome = await runFanout({
    scenarios,
    quick: values.quick,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const machine = await describeMachine();
  const table = toTable(outcome.rows, Object.keys(CONTENDERS));
  const json = JSON.stringify({ machine, quick: values.quick, ...outcome }, undefined, 2);
  process.stdout.write(`${values.json ? json : table}\n`);
  if (values.write) writePage(outcome, machine, { whole: scenarios === SCENARIOS && !values.quick });
  if (outcome.failures.length > 0) process.exitCode = 1;
}

/** The page tells of whole runs only, so that no figure is left out because it could not be had. */
function writePage(outcome: Outcome, machine: Machine, { whole }: { whole: boolean }): void {
  if (whole && outcome.failures.length === 0) writeFileSync(PAGE, performancePage(outcome, machine));
  else process.stderr.write('docs/performance.md is left as it is: that was no whole run.\n');
}
