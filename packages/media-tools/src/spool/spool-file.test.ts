import { fstatSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { waitFor } from '@wafleet/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SpoolBudget } from './spool-budget.js';
import { SpoolFile } from './spool-file.js';

let directory: string;
let budget: SpoolBudget;
let file: SpoolFile;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wafleet-spool-test-'));
  budget = new SpoolBudget(1_000);
  file = await SpoolFile.open({ directory, budget });
});

afterEach(async () => {
  await file.close();
  await rm(directory, { recursive: true });
});

const bytes = (length: number) => Readable.from([Buffer.alloc(length, 'x')]);

it('has no name on disk, and is for its owner alone', async () => {
  expect(await readdir(directory)).toEqual([]);
  const { nlink, mode } = fstatSync(file.fd);
  expect(nlink).toBe(0);
  expect(mode & 0o777).toBe(0o600);
});

it('reads what was written, as often as it is asked', async () => {
  expect(await file.write(Readable.from([Buffer.from('ab'), Buffer.from('c')]), { maxBytes: 10 })).toBe(3);
  expect(await file.write(Readable.from([Buffer.from('d')]), { maxBytes: 10 })).toBe(4);
  expect((await buffer(file.read())).toString()).toBe('abcd');
  expect((await buffer(file.read())).toString()).toBe('abcd');
  expect((await file.readAt(2, 10)).toString()).toBe('cd');
  expect(file.bytes).toBe(4);
});

it('refuses a file that is too long, and destroys its stream', async () => {
  const stream = new PassThrough();
  stream.write(Buffer.alloc(6));
  stream.write(Buffer.alloc(6));
  await expect(file.write(stream, { maxBytes: 10 })).rejects.toMatchObject({
    kind: 'too-large',
    bound: 'bytes',
  });
  expect(stream.destroyed).toBe(true);
});

it('counts against the budget until it is closed', async () => {
  await file.write(bytes(600), { maxBytes: 1_000 });
  const other = await SpoolFile.open({ directory, budget });
  await expect(other.write(bytes(600), { maxBytes: 1_000 })).rejects.toMatchObject({
    kind: 'spool-full',
    isRetryable: true,
  });
  await other.close();
  expect(budget.used).toBe(600);
  await Promise.all([file.close(), file.close()]);
  expect(budget.used).toBe(0);
});

it('gives back what a child did not write of the room reserved for it', async () => {
  file.reserve(1_000);
  expect(budget.used).toBe(1_000);
  await file.write(bytes(10), { maxBytes: 1_000 });
  await file.refresh();
  expect(budget.used).toBe(10);
});

it('fails with the reason of the signal, and destroys the stream', async () => {
  const stream = new PassThrough();
  const abort = new AbortController();
  const writing = file.write(stream, { maxBytes: 10, signal: abort.signal });
  stream.write('abc');
  await waitFor(() => file.bytes === 3, { what: 'the bytes to be written' });
  abort.abort(new Error('the client left'));
  await expect(writing).rejects.toThrow('the client left');
  expect(stream.destroyed).toBe(true);
});

it('fails with what the stream fails with', async () => {
  const stream = new PassThrough();
  const writing = file.write(stream, { maxBytes: 10 });
  stream.destroy(new Error('cut'));
  await expect(writing).rejects.toThrow('cut');
});

it('cannot be read once it is closed', async () => {
  await file.write(bytes(3), { maxBytes: 10 });
  const stream = file.read();
  await file.close();
  await expect(buffer(stream)).rejects.toThrow();
});
