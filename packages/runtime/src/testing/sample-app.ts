import { z } from 'zod';
import { variable } from '../environment.js';
import { logLevelField } from '../environment-fields.js';
import { runApp } from '../run-app.js';
import { StartError } from '../start-error.js';

/** The app that run-app.test.ts runs as a process. */
const environment = z.object({
  GREETING: variable(z.string().max(20), { about: 'What to do.', takes: 'at most 20 characters' }),
  LOG_LEVEL: logLevelField,
});

await runApp(
  { name: 'sample', description: 'an app of a test.', environment },
  async ({ environment: { GREETING }, logger, lifecycle }) => {
    lifecycle.onStop('first', () => logger.info('first stage stopped'));
    lifecycle.onStop('second', () => logger.info('second stage stopped'));
    if (GREETING === 'fail') throw new StartError('failing on purpose');
    if (GREETING === 'hang') lifecycle.onStop('hanging', () => new Promise(() => {}), { timeoutMs: 50 });

    const alive = setInterval(() => {}, 1000);
    lifecycle.onStop('timer', () => clearInterval(alive));
    if (GREETING === 'reject') void Promise.reject(new Error('rejecting on purpose'));
    logger.info('started');
  },
  { unhandledRejections: process.argv.includes('--log-rejections') ? 'log' : 'stop' },
);
