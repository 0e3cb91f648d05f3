import { type LocalRedis, startLocalRedis } from '@wafleet/local-redis';
import { StartError } from '@wafleet/runtime';
import type { StandaloneContext } from '../context.js';
import { project } from '../project.js';
import { startStage } from './staged-start.js';

/** Its name, for people. */
export const REDIS = 'Redis';

const STOP_MS = 10_000;

/**
 * Starts a Redis, or uses the one of REDIS_URL. Resolves to its URL.
 * @param dir the folder in which its data is kept. Default: the data is removed with the process.
 * @throws {StartError | StartInterrupted}
 */
export async function startRedis(context: StandaloneContext, dir?: string): Promise<string> {
  const { environment, lifecycle, say, onDeath } = context;
  const redis = await startStage<LocalRedis>(lifecycle, {
    name: REDIS,
    start: async () => {
      try {
        return await startLocalRedis({
          cacheDir: project.redisCache,
          onProgress: say,
          ...(environment.REDIS_URL === undefined ? {} : { url: environment.REDIS_URL }),
          // As in a real cluster. Without it, every process warns about lost sessions.
          appendOnly: true,
          ...(dir === undefined ? {} : { dir }),
        });
      } catch (error) {
        // Its errors list what was tried and how to fix it.
        throw error instanceof Error ? new StartError(error.message, { cause: error }) : error;
      }
    },
    stop: (started) => started.stop(),
    stopTimeoutMs: STOP_MS,
  });
  void redis.ended.then(async (lastWords) => {
    if (lifecycle.isStopping) return;
    // Removes its temporary folder.
    await redis.stop();
    onDeath(REDIS, `its last words: ${lastWords.split('\n').at(-1) ?? ''}`);
  });
  return redis.url;
}
