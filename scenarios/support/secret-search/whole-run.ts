import { observeTests } from '@wafleet/testkit';
import { afterAll, expect } from 'vitest';
import { report } from '../report.js';
import { takeGivenSecrets } from './given-secrets.js';
import { RunRecord } from './run-record.js';
import { type SearchOutcome, searchForSecrets } from './secret-search.js';

/**
 * vitest.config.ts names this as a set-up file of all scenarios. Everything that a file of scenarios starts through the
 * testkit is recorded. After the file's own hooks the recording is searched for secrets. A secret fails the file.
 */
let run = new RunRecord();

observeTests({
  processStarted: (process) => run.processStarted(process),
  redisStarted: (redis) => run.redisStarted(redis),
  redisEnded: (redis) => run.redisEnded(redis),
  secretMade: (secret) => run.secretMade(secret),
});

afterAll(() => {
  if (run.isEmpty) return;
  const { findings } = searchSoFar();
  expect(findings, 'secrets that left').toEqual([]);
});

/** Searches what was recorded so far, and starts a new recording. Findings of it do not fail the file. */
export function searchSoFar(): SearchOutcome {
  const begun = performance.now();
  try {
    const outcome = searchForSecrets(run, takeGivenSecrets());
    const { secrets, names, preKeysLeftOut, unreadable, bytes, findings } = outcome;
    report('secrets', {
      ...{ secrets, kinds: names.size, preKeysLeftOut, unreadable },
      ...{ outputBytes: bytes.process, receivedBytes: bytes.client, redisBytes: bytes.redis },
      ...{ found: findings.length, ms: Math.round(performance.now() - begun) },
    });
    return outcome;
  } finally {
    run.close();
    run = new RunRecord();
  }
}
