import { toBuffer, toString as toText } from 'qrcode';

const OPTIONS = { margin: 2, errorCorrectionLevel: 'M' } as const;

/** The types that a QR code can be had in, the one for a request without preference first. */
export const QR_TYPES = ['application/json', 'image/png', 'image/svg+xml'] as const;

export function qrPng(text: string): Promise<Buffer> {
  return toBuffer(text, { ...OPTIONS, type: 'png', scale: 6 });
}

export function qrSvg(text: string): Promise<string> {
  return toText(text, { ...OPTIONS, type: 'svg' });
}
