import { parseArgs } from 'node:util';
import { StartError } from '@wafleet/runtime';

export interface CommandLine {
  readonly help: boolean;
  /** Against the real WhatsApp instead of the simulator. */
  readonly live: boolean;
}

/** @throws {StartError} if an argument is unknown. The error names it. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, live: { type: 'boolean' } },
    });
    return { help: values.help ?? false, live: values.live ?? false };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`${reason}. It takes --live and --help.`, { cause: error });
  }
}

export const COMMAND_LINE_HELP = `Usage: npm start [-- --live]

Starts the whole cluster on this machine: Redis, placer, two workers, two edges.

  (nothing)   a demo: a simulated WhatsApp, a linked phone, contacts that write to it
  --live      the real WhatsApp: shows a QR code to link a phone; the session is kept in .wafleet/live
  --help      this text
`;
