import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.js';
import { exportSession } from './move.js';
import { guessSource, readSource } from './read-source.js';
import { SecretInput } from './secrets.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wafleet-move-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function folderWith(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(folder, name);
  await mkdir(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

describe('the command line', () => {
  it('takes the three commands', () => {
    expect(parseCommandLine(['inspect', 'a', 'b'])).toEqual({
      command: 'inspect',
      from: undefined,
      paths: ['a', 'b'],
    });
    expect(parseCommandLine(['import', '--from', 'waha', '--id', 'shop', 'a'])).toMatchObject({
      ...{ command: 'import', from: 'waha', id: 'shop', paths: ['a'], keepAppState: false },
    });
    expect(parseCommandLine(['export', '--id', 'shop', 'a'])).toMatchObject({ command: 'export', path: 'a' });
    expect(parseCommandLine([])).toEqual({ command: 'help' });
  });

  it.each([
    [['import', 'a'], /--from/],
    [['import', '--from', 'telegram', 'a'], /telegram/],
    [['import', '--from', 'baileys'], /path/],
    [['export', 'a'], /--id/],
    [['export', '--id', 'shop'], /one file/],
    [['move'], /no command move/],
    [['import', '--api-key', 'x'], /--api-key/],
  ])('says what is wrong with %s', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(message);
  });
});

describe('an export', () => {
  it('names the address at which it cannot reach the cluster, and leaves no file', async () => {
    const path = await folderWith('out', {});
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    const environment = {
      WAFLEET_URL: `${url}/`,
      WAFLEET_API_KEY: 'a-key',
      WAFLEET_PASSPHRASE: 'correct horse battery',
      WAFLEET_PROXY: undefined,
    };
    const context = { environment, secrets: new SecretInput(Readable.from([]), () => {}), say: () => {} };
    const command = { command: 'export', id: 'shop', path: join(path, 'bundle'), api: undefined } as const;
    await expect(exportSession(command, context)).rejects.toThrow(
      `The cluster cannot be reached at ${url}. WAFLEET_URL or --api says where it is.`,
    );
    expect(await readdir(path)).toEqual([]);
  });
});

describe('a source', () => {
  it('is the files of a folder, without those that are not of a session', async () => {
    const path = await folderWith('bot', { 'creds.json': '{}', 'pre-key-1.json': '{}', 'store.bin': '' });
    const content = await readSource([path]);
    expect(content).toEqual({ files: { 'creds.json': '{}', 'pre-key-1.json': '{}' } });
    expect(guessSource(content)).toBe('baileys');
  });

  it('may be several files', async () => {
    const path = await folderWith('evolution', { 'creds.txt': '"x"', 'hash.txt': 'creds' });
    const content = await readSource([join(path, 'creds.txt'), join(path, 'hash.txt')]);
    expect(guessSource(content)).toBe('evolution');
  });

  it('names the sessions below a folder that has none itself', async () => {
    await folderWith('sessions/noweb/default', { 'creds.json': '{}' });
    await expect(readSource([join(folder, 'sessions')])).rejects.toThrow(/noweb.default/);
  });

  it('is refused if it is of a client that does not use Baileys, or does not exist', async () => {
    const path = await folderWith('.sessions/gows/default', { 'gows.db': '' });
    await expect(readSource([path])).rejects.toMatchObject({ problem: 'unknown-format' });
    await expect(readSource([join(folder, 'missing')])).rejects.toThrow(/does not exist/);
  });
});

describe('the standard input', () => {
  it('has one secret in each line', async () => {
    const input = new SecretInput(Readable.from(['wf_key\na long passphrase\n']), () => {});
    expect(await input.next('The API key', 'WAFLEET_API_KEY')).toBe('wf_key');
    expect(await input.next('The passphrase', 'WAFLEET_PASSPHRASE')).toBe('a long passphrase');
    await expect(input.next('The rest', 'REST')).rejects.toThrow(/set REST/);
    input.close();
  });
});
