import type { Readiness } from '@wafleet/runtime';
import type { RedisConnection } from '@wafleet/store';

const ANSWER_WITHIN_MS = 1_000;

/** Whether Redis answers a PING within a second; without it an edge can neither check keys nor receive events. */
export async function readinessOf(redis: RedisConnection): Promise<Readiness> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
  });
  const answered = redis.ping().then(
    () => true,
    () => false,
  );
  try {
    return (await Promise.race([answered, timeUp]))
      ? { ready: true }
      : { ready: false, reason: 'Redis does not answer' };
  } finally {
    clearTimeout(timer);
  }
}
