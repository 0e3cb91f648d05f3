import { assignCores } from './cores.js';
import type { Row } from './report.js';
import type { Scenario } from './scenario.js';

/** A benchmark that measures the product and what it is compared with: `npm run bench -- <name>`. */
export interface Bench {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** The columns of the table with their descriptions. The first is compared with the others. */
  readonly contenders: Readonly<Record<string, string>>;
  readonly scenarios: readonly Scenario[];
  /** Whether the measured processes may use all cores (see `assignCores`). Otherwise they use one. */
  readonly isSpread?: boolean;
  /** Its section of docs/performance.md: the heading, what it measures, and how. */
  readonly page: { readonly title: string; readonly purpose: string; readonly method: readonly string[] };
}

export interface Failure {
  readonly scenario: string;
  readonly reason: string;
}

export interface Outcome {
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  /** The use of the cores. */
  readonly cores: string;
}

/** Runs scenarios one after the other. The others run even if one fails. */
export async function runScenarios(options: {
  scenarios: readonly Scenario[];
  isSpread: boolean;
  quick: boolean;
  onProgress: (line: string) => void;
}): Promise<Outcome> {
  const { scenarios, isSpread, quick, onProgress } = options;
  const cores = assignCores({ isSpread });
  onProgress(`Cores: ${cores.description}.`);
  const rows: Row[] = [];
  const failures: Failure[] = [];
  for (const { name, about, run } of scenarios) {
    onProgress(`${name}: ${about} …`);
    const begun = performance.now();
    try {
      rows.push(...(await run({ cores, quick })));
      onProgress(`${name}: done in ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ scenario: name, reason });
      onProgress(`${name}: failed: ${reason}`);
    }
  }
  return { rows, failures, cores: cores.description };
}
