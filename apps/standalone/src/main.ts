import {
  createLogger,
  environmentHelp,
  Lifecycle,
  readEnvironment,
  StartError,
  withTimeout,
} from '@wafleet/runtime';
import { COMMAND_LINE_HELP, type CommandLine, parseCommandLine } from './command-line.js';
import type { StandaloneContext } from './context.js';
import { startDemo } from './demo/start-demo.js';
import { environment } from './env.js';
import { startLive } from './live/start-live.js';
import { LogView } from './processes/log-view.js';
import { REDIS } from './processes/redis.js';
import { StartInterrupted } from './processes/staged-start.js';

const app = { name: 'standalone', description: 'the whole cluster on this machine.', environment };

/** With npm, a terminal's Ctrl-C may arrive twice at once. Only a later one is treated as a forced stop. */
const ONE_KEYPRESS_MS = 500;
/** How long an aborted start may take to stop. */
const INTERRUPTED_START_MS = 5_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

async function run({ live }: CommandLine): Promise<void> {
  const env = readEnvironment(app);
  const view = new LogView((text) => process.stdout.write(text));
  const logger = createLogger({
    app: app.name,
    level: env.LOG_LEVEL,
    destination: { write: (line) => view.show('start', line.trimEnd()) },
  });
  const lifecycle = new Lifecycle(logger);
  const stopping = new AbortController();
  let starting: Promise<void> = Promise.resolve();

  const stopAndExit = async (exitCode: number) => {
    if (lifecycle.isStopping) return;
    stopping.abort();
    const stoppedWell = await lifecycle.stop();
    await withTimeout(
      starting.catch(() => {}),
      INTERRUPTED_START_MS,
    );
    if (exitCode === 0) say('Stopped.');
    // Anything that still runs, such as the processes of a failed stage, ends with this process.
    process.exit(stoppedWell ? exitCode : 1);
  };

  let firstSignalAt: number | undefined;
  const onSignal = () => {
    firstSignalAt ??= performance.now();
    if (performance.now() - firstSignalAt > ONE_KEYPRESS_MS) {
      complain('Killed.');
      process.exit(130);
    }
    if (lifecycle.isStopping) return;
    say('Stopping; Ctrl-C again kills everything at once.');
    void stopAndExit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  const context: StandaloneContext = {
    environment: env,
    lifecycle,
    logger,
    view,
    say,
    stopping: stopping.signal,
    onDeath: (name, how) => {
      complain(`${name} ended unexpectedly (${how}); everything else is stopped.`);
      // Without Redis, nothing can be stopped in order, because the processes keep their state there.
      if (name === REDIS) process.exit(1);
      void stopAndExit(1);
    },
  };
  try {
    starting = live ? startLive(context) : startDemo(context);
    await starting;
  } catch (error) {
    if (error instanceof StartInterrupted || lifecycle.isStopping) return;
    complain(`Cannot start. ${describe(error)}`);
    await stopAndExit(1);
  }
}

function describe(error: unknown): string {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  const commandLine = parseCommandLine(process.argv.slice(2));
  if (commandLine.help) say(`${COMMAND_LINE_HELP}\n${environmentHelp(app)}`);
  else await run(commandLine);
} catch (error) {
  complain(`Cannot start. ${describe(error)}`);
  process.exitCode = 1;
}
