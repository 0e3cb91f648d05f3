import { parseArgs } from 'node:util';
import { StartError } from '@wafleet/runtime';
import { SOURCE_FORMATS, type SourceFormat } from '@wafleet/session-bundle';

/** Where a session is read from: what a program has stored, or a bundle. */
export type Source = SourceFormat | 'bundle';

const SOURCES: readonly Source[] = [...SOURCE_FORMATS, 'bundle'];

export type CommandLine =
  | { readonly command: 'help' }
  | { readonly command: 'inspect'; readonly from: Source | undefined; readonly paths: readonly string[] }
  | {
      readonly command: 'import';
      readonly from: Source;
      readonly paths: readonly string[];
      readonly api: string | undefined;
      readonly id: string | undefined;
      readonly name: string | undefined;
      readonly keepAppState: boolean;
    }
  | {
      readonly command: 'export';
      readonly id: string;
      /** The file to write. */
      readonly path: string;
      readonly api: string | undefined;
    };

export const COMMAND_LINE_HELP = `Usage: npm run move -- inspect [--from FORMAT] PATH…
       npm run move -- import --from FORMAT [--id ID] [--name NAME] [--api URL] [--keep-app-state] PATH…
       npm run move -- export --id ID [--api URL] FILE

Moves sessions that are linked already. No phone is linked again.

  inspect   says whose session it is, and whether it can be imported. Sends nothing
  import    creates a session with it. Stop the program that runs it now, before
  export    closes a session and writes it into a file that a passphrase opens

  FORMAT    baileys     a folder of useMultiFileAuthState
            evolution   Evolution API: creds.txt and a folder, or what redis-cli printed
            waha        WAHA with NOWEB: a folder, or the rows of its table
            bundle      a file of an export

  --id ID           the id of the session; an import without it gets a new one
  --name NAME       what the imported session is called
  --api URL         where the cluster is, instead of WAFLEET_URL
  --keep-app-state  goes on from the synchronised state in the files, so chats and contacts are not published again
`;

/** @throws {StartError} if something is missing or unknown. It names it. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parse(args);
  const [command, ...paths] = positionals;
  const { api, id, name } = values;
  if (values.help === true || command === undefined) return { command: 'help' };
  const from = values.from === undefined ? undefined : sourceOf(values.from);
  switch (command) {
    case 'inspect':
      if (paths.length === 0) throw new StartError('inspect needs the path of a folder or a file.');
      return { command, from, paths };
    case 'import':
      if (from === undefined) throw new StartError(`import needs --from ${SOURCES.join('|')}.`);
      if (paths.length === 0) throw new StartError('import needs the path of a folder or a file.');
      return { command, from, paths, api, id, name, keepAppState: values['keep-app-state'] ?? false };
    case 'export': {
      const [path, ...others] = paths;
      if (id === undefined) throw new StartError('export needs --id, the id of the session.');
      if (path === undefined || others.length > 0) throw new StartError('export needs one file to write.');
      return { command, id, path, api };
    }
    default:
      throw new StartError(`There is no command ${command}. It takes inspect, import and export.`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        from: { type: 'string' },
        api: { type: 'string' },
        id: { type: 'string' },
        name: { type: 'string' },
        'keep-app-state': { type: 'boolean' },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(`${reason}. --help shows what it takes.`, { cause: error });
  }
}

function sourceOf(text: string): Source {
  const source = SOURCES.find((known) => known === text);
  if (source === undefined) throw new StartError(`--from takes ${SOURCES.join(', ')}; it is ${text}.`);
  return source;
}
