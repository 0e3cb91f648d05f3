import { cpus, totalmem } from 'node:os';
import { BenchRedis } from './redis.js';

/** The kind of machine that a benchmark ran on, without anything that identifies it. */
export interface Machine {
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly redis: string;
}

export async function describeMachine(): Promise<Machine> {
  const redis = await BenchRedis.start({ appendOnly: false });
  try {
    return {
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      node: process.versions.node,
      redis: await redis.version(),
    };
  } finally {
    await redis.stop();
  }
}
