import { readFileSync } from 'node:fs';
import { Metrics } from '@wafleet/runtime';
import { expect, test } from 'vitest';
import { addWorkerMetrics } from './metrics.js';

const MINUTE_MS = 60_000;
const idle = {
  lastStanzas: () => [],
  strays: 0,
  openVersions: new Map<string, number>(),
  versionRefusals: 0,
  heldByVersion: 0,
};

async function textOf(worker: Parameters<typeof addWorkerMetrics>[1]): Promise<string> {
  const metrics = new Metrics();
  addWorkerMetrics(metrics, worker);
  return metrics.text();
}

test('the metrics of a worker are those of docs/operations.md', async () => {
  const text = await textOf(idle);
  const reported = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name, help, type]) => `| \`${name}\` | ${type} | ${help} |`,
  );
  const doc = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  expect(doc.split('\n').filter((line) => line.startsWith('| `wafleet_worker_'))).toEqual(reported);
});

test('open sessions are counted by how long ago something came, released strays as a sum', async () => {
  const now = Date.now();
  const ages = [0.5, 5, 5, 30, 120, 600, 3_000].map((minutes) => now - minutes * MINUTE_MS);
  const text = await textOf({ ...idle, lastStanzas: () => [...ages, 0, 0, 0], strays: 2 });
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

test('open sessions are counted by their version, refusals as a sum, and sessions that wait for one', async () => {
  const openVersions = new Map([
    ['2.3000.1', 3],
    ['2.3000.2', 1],
  ]);
  const text = await textOf({ ...idle, openVersions, versionRefusals: 4, heldByVersion: 5 });
  expect(text).toContain('wafleet_worker_client_versions{version="2.3000.1"} 3');
  expect(text).toContain('wafleet_worker_client_versions{version="2.3000.2"} 1');
  expect(text).toContain('wafleet_worker_client_version_refusals_total 4');
  expect(text).toContain('wafleet_worker_client_version_held_sessions 5');
});
