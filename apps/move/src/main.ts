import { WafleetError } from '@wafleet/contract';
import { environmentHelp, readEnvironment, StartError } from '@wafleet/runtime';
import { BundleError } from '@wafleet/session-bundle';
import { COMMAND_LINE_HELP, type CommandLine, parseCommandLine } from './command-line.js';
import { environment } from './env.js';
import { exportSession, importSession, inspect, type MoveContext } from './move.js';
import { SecretInput } from './secrets.js';

const app = { name: 'move', description: 'moves linked sessions in and out of a cluster.', environment };

const say = (text: string) => process.stdout.write(`${text}\n`);

async function run(command: CommandLine): Promise<void> {
  if (command.command === 'help') {
    say(`${COMMAND_LINE_HELP}\n${environmentHelp(app)}`);
    return;
  }
  const secrets = new SecretInput(process.stdin, (text) => process.stderr.write(text));
  const context: MoveContext = { environment: readEnvironment(app), secrets, say };
  try {
    if (command.command === 'inspect') await inspect(command, context);
    else if (command.command === 'import') await importSession(command, context);
    else await exportSession(command, context);
  } finally {
    secrets.close();
  }
}

/** Errors that a person can do something about have a sentence. None has a key or a passphrase in it. */
function describe(error: unknown): string {
  if (error instanceof StartError || error instanceof WafleetError) return error.message;
  if (error instanceof BundleError) return `It cannot be imported (${error.problem}): ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await run(parseCommandLine(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${describe(error)}\n`);
  process.exitCode = 1;
}
