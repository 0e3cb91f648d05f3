import type { ClientVersionsAnswer, clientVersionCalls } from '@wafleet/contract';
import type { ClientVersionRecord, ClientVersions, WorkerRegistry } from '@wafleet/store';
import type { HandlersOf } from './calls.js';

interface ClientVersionResources {
  readonly clientVersions: ClientVersions;
  readonly workers: WorkerRegistry;
}

const instant = (ms: number) => new Date(ms).toISOString();

/** The versions of WhatsApp Web that sessions report, for the administrator. */
export function clientVersionHandlers({
  clientVersions,
  workers,
}: ClientVersionResources): HandlersOf<typeof clientVersionCalls> {
  return {
    'get-client-version': async () => {
      const [view, states] = await Promise.all([clientVersions.view(), workers.list()]);
      const { current, linking, versions, checkedAt, checkError } = view;
      return {
        ...(current === undefined ? {} : { current }),
        ...(linking === undefined ? {} : { linking }),
        versions: versions.map(answerOf),
        sessions: totalOf(states.map(({ clientVersions: open = {} }) => open)),
        check: {
          ...(checkedAt === undefined ? {} : { at: instant(checkedAt) }),
          ...(checkError === undefined ? {} : { error: checkError }),
        },
      };
    },
  };
}

function answerOf(record: ClientVersionRecord): ClientVersionsAnswer['versions'][number] {
  const { version, state, since, foundAt, tries, closedUntil, refusers } = record;
  return {
    ...{ version, state, since: instant(since), foundAt: instant(foundAt), tries },
    ...(state === 'refused' && refusers > 0 ? { refusedSessions: refusers } : {}),
    ...(state === 'refused' && closedUntil !== undefined ? { refusedUntil: instant(closedUntil) } : {}),
  };
}

function totalOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const [version, count] of counts.flatMap((each) => Object.entries(each)))
    total[version] = (total[version] ?? 0) + count;
  return total;
}
