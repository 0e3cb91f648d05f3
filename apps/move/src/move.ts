import { rm, writeFile } from 'node:fs/promises';
import { WafleetClient } from '@wafleet/client';
import { StartError } from '@wafleet/runtime';
import { openBundle, type ReadSession, readBundleHeader, readForeignSession } from '@wafleet/session-bundle';
import type { CommandLine, Source } from './command-line.js';
import type { MoveEnvironment } from './env.js';
import { guessSource, readSource, type SourceContent } from './read-source.js';
import { describeBundle, describeNotes, describeSession } from './report.js';
import type { SecretInput } from './secrets.js';

/** Sessions may have megabytes, and a worker may have to stop one before. */
const TIMEOUT_MS = 120_000;

export interface MoveContext {
  readonly environment: MoveEnvironment;
  readonly secrets: SecretInput;
  readonly say: (text: string) => void;
}

type Of<Command extends CommandLine['command']> = Extract<CommandLine, { readonly command: Command }>;

/** Says whose session it is, and whether it can be imported. */
export async function inspect({ from, paths }: Of<'inspect'>, context: MoveContext): Promise<void> {
  const content = await readSource(paths);
  const source = from ?? guessSource(content);
  const passphrase = context.environment.WAFLEET_PASSPHRASE;
  if ('bundle' in content) {
    context.say(describeBundle(readBundleHeader(content.bundle)));
    if (passphrase === undefined) return;
  }
  const read = await readContent(source, content, passphrase ?? '');
  for (const line of describeSession(read)) context.say(line);
  context.say('It can be imported.');
}

/** Creates a session of the cluster with one that is linked already. It is checked here before anything is sent. */
export async function importSession(command: Of<'import'>, context: MoveContext): Promise<void> {
  const { from, paths, api, id, name, keepAppState } = command;
  const content = await readSource(paths);
  const client = await clientOf(api, context);
  const { WAFLEET_PROXY: proxy } = context.environment;
  const common = {
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(proxy === undefined ? {} : { proxy }),
    keepAppState,
  };
  const passphrase = 'bundle' in content ? await passphraseOf(context) : '';
  const read = await readContent(from, content, passphrase);
  context.say(describeSession(read)[0] ?? '');
  const body =
    'bundle' in content
      ? { ...common, from: 'wafleet' as const, bundle: content.bundle.toString('base64'), passphrase }
      : { ...common, from: from === 'bundle' ? 'baileys' : from, files: content.files };
  const created = await reaching(api, context, client.call('import-session', { body }));
  for (const line of describeNotes(created.notes)) context.say(line);
  context.say(`It was imported as ${created.id}. Do not start the program again that had it before.`);
}

/** Closes a session of the cluster and writes it into a file that only this user may read. */
export async function exportSession({ id, path, api }: Of<'export'>, context: MoveContext): Promise<void> {
  const client = await clientOf(api, context);
  const passphrase = await passphraseOf(context);
  // Made before the session is closed, so that no bundle is lost because the file cannot be written.
  await writeFile(path, '', { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    throw new StartError(`${path} cannot be written, or exists already.`, { cause: error });
  });
  const exporting = reaching(
    api,
    context,
    client.call('export-session', { params: { id }, body: { passphrase } }),
  );
  const { bundle } = await exporting.catch(async (error: unknown) => {
    await rm(path);
    throw error;
  });
  const bytes = Buffer.from(bundle, 'base64');
  await writeFile(path, bytes);
  context.say(describeBundle(readBundleHeader(bytes)));
  context.say(`It is in ${path}. The session ${id} is closed; restart it only if the file is not used.`);
}

function readContent(from: Source, content: SourceContent, passphrase: string): Promise<ReadSession> {
  if ('bundle' in content) return openBundle(content.bundle, { passphrase });
  if (from === 'bundle') throw new StartError('This is not a bundle. --from says what it is.');
  return readForeignSession(from, content.files);
}

async function clientOf(api: string | undefined, context: MoveContext): Promise<WafleetClient> {
  const { WAFLEET_API_KEY, WAFLEET_URL } = context.environment;
  const key = WAFLEET_API_KEY ?? (await context.secrets.next('The API key', 'WAFLEET_API_KEY'));
  return new WafleetClient({ url: api ?? WAFLEET_URL, key, timeoutMs: TIMEOUT_MS });
}

/** @throws {StartError} if no cluster answers. It names the address, without what else the URL has. */
async function reaching<T>(api: string | undefined, context: MoveContext, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof TypeError && error.message === 'fetch failed')) throw error;
    const { origin } = new URL(api ?? context.environment.WAFLEET_URL);
    const message = `The cluster cannot be reached at ${origin}. WAFLEET_URL or --api says where it is.`;
    throw new StartError(message, { cause: error });
  }
}

async function passphraseOf({ environment, secrets }: MoveContext): Promise<string> {
  return environment.WAFLEET_PASSPHRASE ?? (await secrets.next('The passphrase', 'WAFLEET_PASSPHRASE'));
}
