import { describe, expect, it } from 'vitest';
import { prepare, testTools, withFile } from '../testing/prepared.js';
import { makeSample, testPicture, tone } from '../testing/samples.js';

const tools = testTools();

/** Silence for a second, then a tone for another. */
const halfSilent = ['-f', 'lavfi', '-i', "aevalsrc='0.5*sin(440*2*PI*t)*gte(t,1)':d=2"];

it('describes audio', async () => {
  const sample = await makeSample('a.mp3', tone(2));
  expect(await withFile(sample, tools.describeAudio)).toEqual({ mimetype: 'audio/mpeg', seconds: 2 });
});

describe('toAudio', () => {
  it.each([
    ['a.mp3', [], 'audio/mpeg'],
    ['a.m4a', [], 'audio/mp4'],
    ['a.aac', [], 'audio/aac'],
    ['a.opus', [], 'audio/ogg; codecs=opus'],
    ['a.amr', ['-ar', '8000', '-ac', '1', '-c:a', 'libopencore_amrnb'], 'audio/amr'],
  ])('leaves %s as it is', async (name, args, mimetype) => {
    const { result, isSame } = await prepare(await makeSample(name, [...tone(2), ...args]), tools.toAudio);
    expect(isSame).toBe(true);
    expect(result).toMatchObject({ mimetype, seconds: 2 });
  });

  it.each([
    ['a.wav', tone(2)],
    ['a.flac', tone(2)],
    ['a.ogg', tone(2)],
    ['a.m4a', [...tone(2), '-c:a', 'alac']],
    ['a.mp4', [...testPicture({ size: '64x48', seconds: 2, rate: 5 }), ...tone(2)]],
  ])('makes M4A of %s', async (name, args) => {
    const { result, content, isSame } = await prepare(await makeSample(name, args), tools.toAudio);
    expect(isSame).toBe(false);
    expect(result).toMatchObject({ mimetype: 'audio/mp4', seconds: 2 });
    expect(content.includes('mp4a')).toBe(true);
    expect(content.includes('vide')).toBe(false);
  });

  it('refuses a video without sound', async () => {
    const silent = await makeSample('a.mp4', testPicture({ size: '64x48', seconds: 1, rate: 5 }));
    await expect(withFile(silent, tools.toAudio)).rejects.toMatchObject({ kind: 'unreadable' });
  });
});

describe('toVoiceNote', () => {
  it.each([
    ['a.mp3', halfSilent],
    ['a.opus', [...halfSilent, '-ac', '2']],
    ['a.wav', halfSilent],
    ['a.mkv', [...testPicture({ size: '64x48', seconds: 2, rate: 5 }), ...halfSilent]],
  ])('makes Ogg Opus, mono, of %s', async (name, args) => {
    const { result, content, isSame } = await prepare(await makeSample(name, args), tools.toVoiceNote);
    expect(isSame).toBe(false);
    expect(result).toMatchObject({ mimetype: 'audio/ogg; codecs=opus', seconds: 2 });
    expect((await prepare(content, tools.toVoiceNote)).isSame).toBe(true);
  });

  it('leaves Ogg Opus that is mono as it is, and shows its loudness', async () => {
    const { result, isSame } = await prepare(await makeSample('a.opus', halfSilent), tools.toVoiceNote);
    expect(isSame).toBe(true);
    const { waveform } = result;
    expect(waveform).toHaveLength(64);
    expect(Math.max(...waveform)).toBe(100);
    expect(Math.max(...waveform.slice(0, 30))).toBeLessThan(10);
    expect(Math.min(...waveform.slice(34, 63))).toBeGreaterThan(80);
  });
});
