/**
 * Waits for `work`, but for at most `timeoutMs`. Resolves to whether `work` resolved in time, and rejects as `work` does
 * if it rejects in time. Nothing ends `work` itself: await it for its value after `true`, or stop it after `false`.
 * Creates no error with a stack, so it is cheap enough for every command.
 *
 * The timer is cleared as soon as `work` settles. A rejection of `work` after the time is up is dropped, so it never
 * counts as unhandled.
 */
export async function withTimeout(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
