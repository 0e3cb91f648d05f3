import { z } from 'zod';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { asNumber, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import { jsonOf } from '../redis/unreadable-records.js';

const beginVersionCheck = new Script('workers/begin-version-check', asNumber);
const noteVersion = new Script('workers/note-version', asText);

const OUTCOMES = ['new', 'known', 'older', 'implausible', 'failed'] as const;
/**
 * What became of a version that WhatsApp's page named. `older`: than the one in use, so it is only used when that one is
 * refused. `implausible`: so far from it that the page was read wrongly. `failed`: the page could not be read.
 */
export type VersionCheckOutcome = (typeof OUTCOMES)[number];

const recordSchema = z.object({
  state: z.enum(['known', 'trying', 'worked', 'refused']),
  at: z.number(),
  foundAt: z.number(),
  tries: z.record(
    z.string(),
    z.object({
      openedAt: z.number().optional(),
      endedAt: z.number().optional(),
      failed: z.boolean().optional(),
    }),
  ),
  closedUntil: z.number().optional(),
  refusers: z.record(z.string(), z.literal(true)).default({}),
});

/** What is known of a version of WhatsApp Web. Times are ms since 1970. */
export interface ClientVersionRecord {
  readonly version: string;
  /**
   * `known`: no session has reported it yet. `trying`: a few do. `worked`: a session was opened with it. `refused`:
   * WhatsApp refused it, or too many tries failed.
   */
  readonly state: 'known' | 'trying' | 'worked' | 'refused';
  readonly since: number;
  readonly foundAt: number;
  /** The sessions that tried it before the others: all, those that are open, and those that were never opened. */
  readonly tries: { readonly all: number; readonly open: number; readonly failed: number };
  /** If it is refused: when WhatsApp may be asked again. */
  readonly closedUntil: number | undefined;
  /** If it is refused: how many sessions WhatsApp has refused for it, up to 5. */
  readonly refusers: number;
}

/** What the cluster knows of the versions of WhatsApp Web. Times are ms since 1970. */
export interface ClientVersionsView {
  /** What sessions report; undefined until one was opened. */
  readonly current: string | undefined;
  /** What a client reports first that is to be linked, if that is another version. */
  readonly linking: string | undefined;
  /** Newest first. */
  readonly versions: readonly ClientVersionRecord[];
  /** When WhatsApp's page was last read. */
  readonly checkedAt: number | undefined;
  /** Why it could not be read since then. */
  readonly checkError: string | undefined;
}

/** Returns a positive number if `a` is newer than `b`, a negative one if it is older. Both are as `2.3000.1`. */
function compareVersions(a: string, b: string): number {
  const others = b.split('.').map(Number);
  const differences = a.split('.').map((part, index) => Number(part) - (others[index] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** The versions of WhatsApp Web that the cluster knows; see ConnectRate for how sessions use them. */
export class ClientVersions {
  readonly #redis: RedisConnection;

  constructor(redis: RedisConnection) {
    this.#redis = redis;
  }

  /**
   * Whether the caller is to look at WhatsApp's page now. True for one caller each `everyMs`, after `retryMs` if the last
   * look failed, and after `leastMs` if a worker has asked for one.
   */
  async beginCheck(times: { everyMs: number; retryMs: number; leastMs: number }): Promise<boolean> {
    const { everyMs, retryMs, leastMs } = times;
    return (
      (await beginVersionCheck.run(this.#redis, [keys.clientVersions], [everyMs, retryMs, leastMs])) === 1
    );
  }

  /** Notes what the look has found: a version, or why the page could not be read. */
  async noteCheck(found: { version: string } | { error: string }): Promise<VersionCheckOutcome> {
    const [version, error] = 'version' in found ? [found.version, ''] : ['', found.error];
    const text = await noteVersion.run(this.#redis, [keys.clientVersions], [version, error]);
    const outcome = OUTCOMES.find((each) => each === text);
    if (outcome === undefined) throw new TypeError(`the outcome of a check is ${text}`);
    return outcome;
  }

  async view(): Promise<ClientVersionsView> {
    const fields = await this.#redis.hgetall(keys.clientVersions);
    const versions = Object.entries(fields).flatMap(([version, text]): ClientVersionRecord[] => {
      const { data } = recordSchema.safeParse(jsonOf(text));
      if (data === undefined) return [];
      const { state, at, foundAt, closedUntil } = data;
      const refusers = Object.keys(data.refusers).length;
      const tries = Object.values(data.tries);
      const open = tries.filter(
        ({ openedAt, endedAt }) => openedAt !== undefined && endedAt === undefined,
      ).length;
      const failed = tries.filter((each) => each.failed === true).length;
      return [
        {
          version,
          state,
          since: at,
          foundAt,
          tries: { all: tries.length, open, failed },
          closedUntil,
          refusers,
        },
      ];
    });
    const { current, linking, checkedAt, checkError } = fields;
    return {
      current,
      linking: linking === current ? undefined : linking,
      versions: versions.sort((a, b) => compareVersions(b.version, a.version)),
      checkedAt: checkedAt === undefined ? undefined : Number(checkedAt),
      checkError,
    };
  }
}
