import type { z } from 'zod';
import { type AppDescription, environmentHelp, readEnvironment } from './environment.js';
import type { logLevelField } from './environment-fields.js';
import { Lifecycle } from './lifecycle.js';
import { createLogger, type Logger } from './logger.js';
import { Metrics } from './metrics.js';
import { StartError } from './start-error.js';

/** What an app's start function receives. */
export interface AppContext<E> {
  readonly environment: E;
  readonly logger: Logger;
  /** Register here what has to be stopped, right after it was started. */
  readonly lifecycle: Lifecycle;
  /** The metrics of this process. An app that serves HTTP serves them at /metrics. */
  readonly metrics: Metrics;
}

export interface RunOptions {
  /**
   * What an unhandled promise rejection does. `stop` ends the process. `log` logs it, for a process that runs many
   * independent parts in a library that leaves such promises. Default: `stop`.
   */
  readonly unhandledRejections?: 'stop' | 'log';
}

type AppEnvironment = z.ZodObject<{ LOG_LEVEL: typeof logLevelField } & z.ZodRawShape>;

/**
 * The main function of an app: reads the environment (`--help` prints it and ends), makes the logger, starts, and on
 * SIGTERM or SIGINT stops in stages.
 *
 * Exit codes: 0 after a clean stop. 1 if the start failed (one clear line on standard error, JSON unless that is a
 * terminal), if an error was not caught, or if a stage of the stop failed.
 */
export async function runApp<S extends AppEnvironment>(
  app: AppDescription<S>,
  start: (context: AppContext<z.output<S>>) => Promise<void>,
  { unhandledRejections = 'stop' }: RunOptions = {},
): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(environmentHelp(app));
    return;
  }

  const environment = await startOrExit(app.name, async () => readEnvironment(app));
  const logger = createLogger({ app: app.name, level: String(environment.LOG_LEVEL) });
  const lifecycle = new Lifecycle(logger);

  const stopAndExit = async (exitCode: number) => {
    if (lifecycle.isStopping) return;
    const begun = performance.now();
    const stoppedWell = await lifecycle.stop();
    const code = stoppedWell ? exitCode : 1;
    logger.info({ exitCode: code, tookMs: Math.round(performance.now() - begun) }, 'stopped');
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      logger.info({ signal }, 'stopping');
      void stopAndExit(0);
    });
  }
  // In place of Node's own listener, which prints text.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => logger.warn({ err: warning }, 'warning of Node.js'));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      if (event === 'unhandledRejection' && unhandledRejections === 'log') {
        logger.error({ err: error }, 'unhandled promise rejection');
        return;
      }
      logger.fatal({ err: error }, `stopping after an ${event}`);
      void stopAndExit(1);
    });
  }

  await startOrExit(
    app.name,
    () => start({ environment, logger, lifecycle, metrics: Metrics.ofProcess() }),
    () => lifecycle.stop(),
  );
}

/** One line on standard error: text on a terminal, otherwise JSON like every other line. */
function tellStartFailure(app: string, msg: string): void {
  const entry = { level: 'fatal', time: new Date().toISOString(), app, msg };
  process.stderr.write(`${process.stderr.isTTY ? msg : JSON.stringify(entry)}\n`);
}

async function startOrExit<T>(
  name: string,
  start: () => Promise<T>,
  undo?: () => Promise<unknown>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const text =
      error instanceof StartError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    tellStartFailure(name, `wafleet ${name} cannot start: ${text}`);
    await undo?.();
    process.exit(1);
  }
}
