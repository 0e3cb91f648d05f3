import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fanout } from './fanout/fanout.js';
import { type Bench, type Outcome, runScenarios } from './harness/bench.js';
import { describeMachine, type Machine } from './harness/machine.js';
import { withBench } from './harness/performance-page.js';
import { toTable } from './harness/report.js';
import { neighbour } from './neighbour/neighbour.js';
import { worker } from './worker/worker.js';

const BENCHES: readonly Bench[] = [fanout, worker, neighbour];
const PAGE = new URL('../../docs/performance.md', import.meta.url);
const WIDTH = 24;

const listed = (entries: readonly { readonly name: string; readonly about: string }[]) =>
  entries.map(({ name, about }) => `  ${name.padEnd(WIDTH)}${about}`).join('\n');

const help = `npm run bench -- <bench> [options]

Benches:
${listed(BENCHES)}

Options:
  --quick           small and short: shows that it works; its figures mean little
  --scenario NAME   this one only; may be given several times
  --json            prints JSON in place of a table
  --write           writes the bench's part of docs/performance.md

${BENCHES.map(({ name, scenarios }) => `Scenarios of ${name}:\n${listed(scenarios)}\n`).join('\n')}`;

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
  const [wanted] = positionals;
  const bench = BENCHES.find(({ name }) => name === wanted);
  if (values.help || bench === undefined) {
    process.stdout.write(help);
    if (!values.help && wanted !== undefined) refuse(`There is no bench ${wanted}.`);
    return;
  }
  const unknown = values.scenario.filter(
    (scenario) => !bench.scenarios.some(({ name }) => name === scenario),
  );
  if (unknown.length > 0) {
    process.stdout.write(help);
    refuse(`There is no scenario ${unknown.join(', ')}.`);
    return;
  }
  const isWhole = values.scenario.length === 0 && !values.quick;
  const outcome = await runScenarios({
    scenarios: bench.scenarios.filter(
      ({ name }) => values.scenario.length === 0 || values.scenario.includes(name),
    ),
    isSpread: bench.isSpread ?? false,
    quick: values.quick,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const machine = await describeMachine();
  const table = toTable(outcome.rows, Object.keys(bench.contenders));
  const json = JSON.stringify({ machine, quick: values.quick, ...outcome }, undefined, 2);
  process.stdout.write(`${values.json ? json : table}\n`);
  if (values.write) writePage(bench, outcome, machine, { isWhole });
  if (outcome.failures.length > 0) process.exitCode = 1;
}

function refuse(reason: string): void {
  process.stderr.write(`\n${reason}\n`);
  process.exitCode = 1;
}

/** Only complete runs are written to the page, so that no figure is missing. */
function writePage(bench: Bench, outcome: Outcome, machine: Machine, { isWhole }: { isWhole: boolean }) {
  if (isWhole && outcome.failures.length === 0) {
    writeFileSync(PAGE, withBench(readFileSync(PAGE, 'utf8'), bench, outcome, machine));
  } else process.stderr.write('docs/performance.md was not changed: the run was not complete.\n');
}
