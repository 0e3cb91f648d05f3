import { readFileSync } from 'node:fs';
import { Metrics } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { addWorkerMetrics } from './metrics.js';

const MINUTE_MS = 60_000;

async function textOf(worker: Parameters<typeof addWorkerMetrics>[1]): Promise<string> {
  const metrics = new Metrics();
  addWorkerMetrics(metrics, worker);
  return metrics.text();
}

test('the metrics of a worker are those of docs/operations.md', async () => {
  const text = await textOf({ lastStanzas: () => [], strays: 0 });
  const reported = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`,
  );
  const doc = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  expect(doc.split('\n').filter((line) => line.startsWith('| `wafleet_worker_'))).toEqual(reported);
});

test('open sessions are counted by how long ago something came, released strays as a sum', async () => {
  const now = Date.now();
  const ages = [0.5, 5, 5, 30, 120, 600, 3_000].map((minutes) => now - minutes * MINUTE_MS);
  const text = await textOf({ lastStanzas: () => [...ages, 0, 0, 0], strays: 2 });
  const counts = [...text.matchAll(/^wafleet_worker_open_sessions\{last_stanza="(\w+)"\} (\d+)$/gm)];
  expect(counts.map(([, label, count]) => `${label} ${count}`)).toEqual([
    '1m 1',
    '10m 2',
    '1h 1',
    '6h 1',
    '1d 1',
    'longer 1',
    'never 3',
  ]);
  expect(text).toContain('wafleet_worker_stray_sessions_total 2');
});
