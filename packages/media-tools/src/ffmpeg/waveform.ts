import type { Readable } from 'node:stream';
import type { Waveform } from '../interface/descriptions.js';

/** Samples of a second, 16 bits each, little-endian, mono. Enough for loudness. */
export const WAVEFORM_RATE = 8_000;

const VALUES = 64;
const SAMPLES_PER_BLOCK = WAVEFORM_RATE / 100;

/**
 * Reads sound as it is decoded, and keeps a number for each hundredth of a second. The waveform is the mean loudness of
 * each of 64 parts, as WhatsApp Web makes it: 100 is the loudest part.
 */
export async function readWaveform(pcm: Readable): Promise<{ seconds: number; waveform: Waveform }> {
  const blocks: number[] = [];
  let sum = 0;
  let samples = 0;
  let half: number | undefined;
  for await (const chunk of pcm) {
    const bytes: Buffer = half === undefined ? chunk : Buffer.concat([Buffer.of(half), chunk]);
    const end = bytes.length & ~1;
    for (let offset = 0; offset < end; offset += 2) {
      sum += Math.abs(bytes.readInt16LE(offset));
      samples += 1;
      if (samples % SAMPLES_PER_BLOCK !== 0) continue;
      blocks.push(sum);
      sum = 0;
    }
    half = end < bytes.length ? bytes[end] : undefined;
  }
  if (samples % SAMPLES_PER_BLOCK !== 0) blocks.push(sum);
  return { seconds: samples / WAVEFORM_RATE, waveform: waveformOf(blocks) };
}

/** Of the loudness of short blocks of the same length. */
export function waveformOf(blocks: readonly number[]): Waveform {
  const parts = Array.from({ length: VALUES }, (_, part) => {
    const start = Math.floor((part * blocks.length) / VALUES);
    // A note of fewer blocks than values repeats them.
    const end = Math.max(start + 1, Math.floor(((part + 1) * blocks.length) / VALUES));
    const inside = blocks.slice(start, end);
    return inside.reduce((total, block) => total + block, 0) / Math.max(1, inside.length);
  });
  const loudest = Math.max(...parts);
  return Uint8Array.from(parts, (part) => (loudest === 0 ? 0 : Math.floor((100 * part) / loudest)));
}
