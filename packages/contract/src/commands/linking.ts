import { z } from 'zod';
import { type CostedRequest, type RestCall, sessionCommand, sessionParamsSchema } from './definition.js';
import { instantSchema } from './fields.js';

export const qrSchema = z.object({
  qr: z.string().describe('The text to draw as a QR code for the phone to scan'),
  expiresAt: instantSchema,
});

export const createPairingCodeBodySchema = z.strictObject({
  phone: z
    .string()
    .transform((text) => text.replace(/^\+|[\s().-]/g, ''))
    .pipe(z.string().regex(/^[1-9][0-9]{6,14}$/, 'must be a phone number with its country code')),
});
export const pairingCodeSchema = z.object({ code: z.string(), expiresAt: instantSchema });

export type Qr = z.infer<typeof qrSchema>;
export type PairingCode = z.infer<typeof pairingCodeSchema>;

/** To draw a code takes ten times as long as to read it. */
function costOfQr({ headers: { accept } }: CostedRequest): number {
  return typeof accept === 'string' && accept.includes('image/') ? 10 : 1;
}

/** Linking a session to a phone. */
export const linkingCalls = {
  'get-qr': {
    route: 'GET /api/sessions/:id/qr',
    access: 'sessions:write',
    cost: { of: costOfQr, text: '1 as JSON, 10 as an image' },
    tag: 'linking',
    summary: 'Get the QR code to link the session with',
    description: 'As JSON, or drawn as PNG or SVG, by the Accept header.',
    params: sessionParamsSchema,
    answers: {
      200: {
        description: 'The QR code on show',
        content: {
          'application/json': { schema: qrSchema },
          'image/png': { schema: z.custom<Buffer>().describe('The code as a PNG image') },
          'image/svg+xml': { schema: z.string().describe('The code as an SVG image') },
        },
      },
    },
    errors: ['SESSION_NOT_FOUND', 'QR_NOT_AVAILABLE', 'ALREADY_LINKED', 'NO_WORKER', 'NOT_ACCEPTABLE'],
    isSecret: true,
  },
} as const satisfies Record<string, RestCall>;

export const linkingCommands = {
  'pairing-code': sessionCommand({
    route: 'POST /api/sessions/:id/pairing-code',
    access: 'sessions:write',
    cost: 20,
    tag: 'linking',
    summary: 'Request a code to type into the phone instead of scanning a QR code',
    description: 'Until it expires no QR code is shown. A second request makes the first code worthless.',
    body: createPairingCodeBodySchema,
    reply: pairingCodeSchema,
    errors: ['ALREADY_LINKED'],
    isSecret: true,
    example: { phone: '15550001001' },
    execution: { requires: 'any' },
  }),
};
