import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readWaveform, WAVEFORM_RATE, waveformOf } from './waveform.js';

it('is the loudness of 64 parts, as a share of the loudest', () => {
  const blocks = Array.from({ length: 640 }, (_, index) => Math.floor(index / 10));
  expect([...waveformOf(blocks)]).toEqual(
    Array.from({ length: 64 }, (_, part) => Math.floor((100 * part) / 63)),
  );
});

it('is flat without sound, and without anything', () => {
  expect([...waveformOf([0, 0, 0])]).toEqual(Array(64).fill(0));
  expect([...waveformOf([])]).toEqual(Array(64).fill(0));
});

it('repeats the values of a short note', () => {
  const waveform = [...waveformOf([1, 2])];
  expect(waveform.slice(0, 32)).toEqual(Array(32).fill(50));
  expect(waveform.slice(32)).toEqual(Array(32).fill(100));
});

it('reads samples that come in any pieces', async () => {
  const pcm = Buffer.alloc(2 * WAVEFORM_RATE);
  for (let sample = WAVEFORM_RATE / 2; sample < WAVEFORM_RATE; sample += 1)
    pcm.writeInt16LE(-1_000, 2 * sample);
  const pieces = Array.from({ length: Math.ceil(pcm.length / 777) }, (_, index) =>
    pcm.subarray(777 * index, 777 * (index + 1)),
  );
  const { seconds, waveform } = await readWaveform(Readable.from(pieces));
  expect(seconds).toBe(1);
  expect([...waveform]).toEqual([...Array(32).fill(0), ...Array(32).fill(100)]);
});
