import { z } from 'zod';
import { envelope, snapshot } from './fields.js';

export const qrSchema = z.object({
  ...envelope,
  qr: z.string().describe('the text to draw as a QR code'),
  expiresAt: z.iso.datetime().describe('after that WhatsApp refuses it'),
  snapshot,
});

export const pairingCodeEventSchema = z.object({
  ...envelope,
  code: z.string().describe('to be typed into the phone'),
  phone: z.string().describe('the number of the phone that it is for, digits only'),
  expiresAt: z.iso.datetime().describe('after that WhatsApp refuses it'),
  snapshot,
});
