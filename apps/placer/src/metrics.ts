import type { Metrics } from '@wafleet/runtime';
import type { ClientVersionsView, VersionCheckOutcome } from '@wafleet/store';

/** What is measured of a placer. */
interface MeasuredChecks {
  readonly outcomes: ReadonlyMap<VersionCheckOutcome, number>;
  readonly view: ClientVersionsView | undefined;
}

/** The last number of a version, which tells how new it is. */
function revisionOf(version: string): number {
  return Number(version.split('.')[2]);
}

/** Adds all metrics of a placer. docs/operations.md lists them in the same order. */
export function addPlacerMetrics(metrics: Metrics, checks: MeasuredChecks): void {
  metrics.gauge({
    name: 'wafleet_placer_client_revision',
    help: 'The last number of versions of WhatsApp Web: of the one that sessions report, and of the newest one.',
    labels: ['which'],
    read: () => {
      const { current, versions = [] } = checks.view ?? {};
      const newest = versions[0]?.version;
      return Object.entries({ current, newest }).flatMap(([which, version]) =>
        version === undefined ? [] : [{ labels: { which }, value: revisionOf(version) }],
      );
    },
  });
  metrics.gauge({
    name: 'wafleet_placer_client_versions',
    help: 'Versions of WhatsApp Web that the cluster knows, by state.',
    labels: ['state'],
    read: () => {
      const counts = { known: 0, trying: 0, worked: 0, refused: 0 };
      for (const { state } of checks.view?.versions ?? []) counts[state] += 1;
      return Object.entries(counts).map(([state, value]) => ({ labels: { state }, value }));
    },
  });
  metrics.gauge({
    name: 'wafleet_placer_client_version_checked_seconds',
    help: 'When the page on which WhatsApp names the newest version was last read, seconds since 1970; 0 if never.',
    read: () => Math.floor((checks.view?.checkedAt ?? 0) / 1_000),
  });
  metrics.counter({
    name: 'wafleet_placer_client_version_checks_total',
    help: 'How often this placer looked at that page, by what came of it.',
    labels: ['outcome'],
    read: () => [...checks.outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
  });
}
