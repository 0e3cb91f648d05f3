import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a sentinel watches, and when it acts. */
export interface SentinelDuty {
  /** The name of the group, by which clients ask for its primary. */
  name: string;
  /** Where the primary is at first, on 127.0.0.1. */
  primaryPort: number;
  /** How many sentinels must find the primary down. */
  quorum: number;
  /** Milliseconds without an answer after which a server counts as down. */
  downAfterMs: number;
  /** Milliseconds for a failover; twice as long after one that failed the next is tried. */
  failoverTimeoutMs: number;
}

/** In the sentinel's folder. */
export const SENTINEL_CONFIG = 'sentinel.conf';

/** Writes the file in which a sentinel also keeps what it learns, unless it is there from an earlier start. */
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
