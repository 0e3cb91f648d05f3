import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { partsOf, type RecordedPart, Recording } from './recording.js';

const MEGABYTE = 1024 ** 2;
const MARK = 'a mark that is long enough to be cut apart';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wafleet-recording-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where the marks stand in the whole. */
function marks(parts: Iterable<RecordedPart>): number[] {
  return [...parts].flatMap(({ bytes, offset }) =>
    [...bytes.toString('latin1').matchAll(new RegExp(MARK, 'g'))].map(({ index }) => offset + index),
  );
}

it('keeps everything, in memory and on disk, and splits no secret', () => {
  const file = join(folder, 'large');
  const recording = new Recording('large', () => file);
  const places = [10, MEGABYTE - 20, 4 * MEGABYTE - 20, 9 * MEGABYTE];
  const whole = Buffer.alloc(9 * MEGABYTE + 100, 'x');
  for (const place of places) whole.write(MARK, place);
  for (let at = 0; at < whole.length; at += 50_000) recording.append(whole.subarray(at, at + 50_000));
  expect(recording.size).toBe(whole.length);
  expect(existsSync(file)).toBe(true);
  expect([...new Set(marks(recording.parts()))]).toEqual(places);
  expect([...new Set(marks(partsOf(whole)))]).toEqual(places);
});

it('writes no file for what is small', () => {
  const recording = new Recording('small', () => expect.fail('a file'));
  recording.append(Buffer.from('one '));
  recording.append(Buffer.from(MARK));
  expect(marks(recording.parts())).toEqual([4]);
});

it('has no parts when nothing came', () => {
  expect([...new Recording('none', () => '').parts()]).toEqual([]);
  expect([...partsOf(Buffer.alloc(0))]).toEqual([]);
});
