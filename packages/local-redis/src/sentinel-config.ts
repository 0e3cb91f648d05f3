import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a sentinel monitors, and when it acts. */
export interface SentinelDuty {
  /** The name of the group, with which clients ask for its primary. */
  name: string;
  /** The port of the initial primary on 127.0.0.1. */
  primaryPort: number;
  /** How many sentinels must regard the primary as down. */
  quorum: number;
  /** Milliseconds without an answer after which a server counts as down. */
  downAfterMs: number;
  /** Time limit of a failover in ms. After a failed one, the next is tried after twice this time. */
  failoverTimeoutMs: number;
}

/** In the sentinel's folder. */
export const SENTINEL_CONFIG = 'sentinel.conf';

/** Writes the file in which a sentinel also stores its state, unless an earlier start has left one. */
export async function provideSentinelConfig(dir: string, duty: SentinelDuty): Promise<void> {
  const { name, primaryPort, quorum, downAfterMs, failoverTimeoutMs } = duty;
  const config = [
    `sentinel monitor ${name} 127.0.0.1 ${primaryPort} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} ${failoverTimeoutMs}`,
    '',
  ];
  try {
    await writeFile(join(dir, SENTINEL_CONFIG), config.join('\n'), { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
