import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * Makes sure that the tests find a Redis, fetching it where the machine has none, and says what it is. TEST_REDIS
 * chooses: `auto`, `docker` or `local`.
 */
export async function provideRedis() {
  // Loaded when it is used: before the build it does not exist.
  const { chooseBackend, startLocalRedis } = await import('@wafleet/local-redis');
  try {
    const redis = await startLocalRedis({
      cacheDir: join(ROOT, '.wafleet/redis'),
      backend: chooseBackend(process.env.TEST_REDIS, 'TEST_REDIS'),
      onProgress: (line) => console.log(line),
    });
    await redis.stop();
  } catch (error) {
    throw new StepFailed(error instanceof Error ? error.message : String(error));
  }
}
