import { describe, expect, it } from 'vitest';
import { qrPng, qrSvg } from './qr-image.js';

describe('the image of a QR code', () => {
  it('is drawn once, however often and however many at a time ask for it', async () => {
    const [png, again] = await Promise.all([qrPng('a code'), qrPng('a code')]);
    expect(again).toBe(png);
    expect(await qrPng('a code')).toBe(png);
    expect(await qrSvg('a code')).toMatch(/^<svg/);
  });

  it('is another one for another code', async () => {
    expect((await qrPng('a code')).equals(await qrPng('another code'))).toBe(false);
    expect(await qrSvg('a code')).not.toBe(await qrSvg('another code'));
  });
});
