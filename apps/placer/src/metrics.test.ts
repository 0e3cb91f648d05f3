import { readFileSync } from 'node:fs';
import { Metrics } from '@wafleet/runtime';
import type { ClientVersionRecord } from '@wafleet/store';
import { expect, test } from 'vitest';
import { addPlacerMetrics } from './metrics.js';

async function textOf(checks: Parameters<typeof addPlacerMetrics>[1]): Promise<string> {
  const metrics = new Metrics();
  addPlacerMetrics(metrics, checks);
  return metrics.text();
}

function record(version: string, state: ClientVersionRecord['state']): ClientVersionRecord {
  return {
    version,
    state,
    since: 0,
    foundAt: 0,
    tries: { all: 0, open: 0, failed: 0 },
    closedUntil: undefined,
    refusers: 0,
  };
}

test('the metrics of a placer are those of docs/operations.md', async () => {
  const text = await textOf({ outcomes: new Map(), view: undefined });
  const reported = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`,
  );
  const doc = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  expect(doc.split('\n').filter((line) => line.startsWith('| `wafleet_placer_'))).toEqual(reported);
});

test('versions are shown by what they are for, and by state', async () => {
  const text = await textOf({
    outcomes: new Map([['failed', 2]]),
    view: {
      current: '2.3000.1000',
      linking: undefined,
      versions: [record('2.3000.3000', 'refused'), record('2.3000.1000', 'worked')],
      checkedAt: 5_000,
      checkError: 'no answer',
    },
  });
  for (const line of [
    'wafleet_placer_client_revision{which="current"} 1000',
    'wafleet_placer_client_revision{which="newest"} 3000',
    'wafleet_placer_client_versions{state="refused"} 1',
    'wafleet_placer_client_versions{state="trying"} 0',
    'wafleet_placer_client_version_checked_seconds 5',
    'wafleet_placer_client_version_checks_total{outcome="failed"} 2',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});
