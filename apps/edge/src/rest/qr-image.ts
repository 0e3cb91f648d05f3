import { LRUCache } from 'lru-cache';
import { toBuffer, toString as toText } from 'qrcode';

const OPTIONS = { margin: 2, errorCorrectionLevel: 'M' } as const;
/** Images in the cache, of a few kilobytes each. */
const KEPT_IMAGES = 500;
/** A code is shown for a minute at most. */
const KEPT_MS = 60_000;

/** The types in which a QR code is available. A request without preference gets the first. */
export const QR_TYPES = ['application/json', 'image/png', 'image/svg+xml'] as const;

/** Drawing takes milliseconds, so the images of a code are drawn once, however often they are requested. */
const pngs = new LRUCache<string, Buffer>({
  ...{ max: KEPT_IMAGES, ttl: KEPT_MS },
  fetchMethod: (text) => toBuffer(text, { ...OPTIONS, type: 'png', scale: 6 }),
});
const svgs = new LRUCache<string, string>({
  ...{ max: KEPT_IMAGES, ttl: KEPT_MS },
  fetchMethod: (text) => toText(text, { ...OPTIONS, type: 'svg' }),
});

export function qrPng(text: string): Promise<Buffer> {
  return pngs.forceFetch(text);
}

export function qrSvg(text: string): Promise<string> {
  return svgs.forceFetch(text);
}
