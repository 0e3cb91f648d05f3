import type { Metrics } from '@wafleet/runtime';

/** What is measured of a worker. */
interface MeasuredWorker {
  /** When WhatsApp last delivered something to each open session, ms since 1970; 0 if it has not. */
  lastStanzas(): readonly number[];
  /** How many sessions were released since the start of the process though the worker did not run them. */
  readonly strays: number;
  /** How many open sessions report each version of WhatsApp Web. */
  readonly openVersions: ReadonlyMap<string, number>;
  /** How often WhatsApp has refused the version of a session since the start of the process. */
  readonly versionRefusals: number;
  /** How many sessions wait since WhatsApp refuses the version that they report. */
  readonly heldByVersion: number;
}

/** Upper bounds of the time since the last stanza, in seconds, with their labels. */
const AGES = [
  [60, '1m'],
  [600, '10m'],
  [3_600, '1h'],
  [6 * 3_600, '6h'],
  [24 * 3_600, '1d'],
  [Number.POSITIVE_INFINITY, 'longer'],
] as const;
const NEVER = 'never';

/** Adds all metrics of a worker. docs/operations.md lists them in the same order. */
export function addWorkerMetrics(metrics: Metrics, worker: MeasuredWorker): void {
  metrics.gauge({
    name: 'wafleet_worker_open_sessions',
    help: 'Open sessions, by how long ago WhatsApp last delivered something to them: up to last_stanza.',
    labels: ['last_stanza'],
    read: () => {
      const now = Date.now();
      const counts = new Map<string, number>([...AGES.map(([, label]) => [label, 0] as const), [NEVER, 0]]);
      for (const at of worker.lastStanzas()) {
        const label = at === 0 ? NEVER : labelOf(now - at);
        counts.set(label, (counts.get(label) ?? 0) + 1);
      }
      return [...counts].map(([label, value]) => ({ labels: { last_stanza: label }, value }));
    },
  });
  metrics.counter({
    name: 'wafleet_worker_stray_sessions_total',
    help: 'Sessions that Redis said this worker owned, that it did not run, and that it released.',
    read: () => worker.strays,
  });
  metrics.gauge({
    name: 'wafleet_worker_client_versions',
    help: 'Open sessions, by the version of WhatsApp Web that they report.',
    labels: ['version'],
    read: () => [...worker.openVersions].map(([version, value]) => ({ labels: { version }, value })),
  });
  metrics.counter({
    name: 'wafleet_worker_client_version_refusals_total',
    help: 'How often WhatsApp refused the version of WhatsApp Web that a session reported.',
    read: () => worker.versionRefusals,
  });
  metrics.gauge({
    name: 'wafleet_worker_client_version_held_sessions',
    help: 'Sessions that wait, since WhatsApp refuses the version of WhatsApp Web that they report.',
    read: () => worker.heldByVersion,
  });
}

function labelOf(ageMs: number): string {
  return AGES.find(([seconds]) => ageMs <= seconds * 1_000)?.[1] ?? NEVER;
}
