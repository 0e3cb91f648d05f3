import { join } from 'node:path';
import { ROOT } from './root.mjs';
import { StepFailed } from './run.mjs';

/**
 * Ensures that the tests find a Redis: fetches one if the machine has none, and reports which one it is. TEST_REDIS
 * selects it: `auto`, `docker` or `local`.
 */
export async function provideRedis() {
  // Loaded on use, because it does not exist before the build.
  const { chooseBackend, startLocalRedis } = await import('@wafleet/local-redis');
  const { inTestContainer } = await import('@wafleet/testkit');
  try {
    const redis = await startLocalRedis({
      cacheDir: join(ROOT, '.wafleet/redis'),
      backend: chooseBackend(process.env.TEST_REDIS, 'TEST_REDIS'),
      container: inTestContainer,
      onProgress: (line) => console.log(line),
    });
    await redis.stop();
  } catch (error) {
    throw new StepFailed(error instanceof Error ? error.message : String(error));
  }
}
