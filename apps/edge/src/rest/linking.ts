import accepts from '@fastify/accepts';
import { createPairingCodeBodySchema, pairingCodeSchema, qrSchema, WafleetError } from '@wafleet/contract';
import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { CurrentQr } from '../sessions/current-qr.js';
import type { SessionCommands } from '../sessions/session-commands.js';
import { errorResponses } from './api-docs.js';
import { QR_TYPES, qrPng, qrSvg } from './qr-image.js';
import { sessionParamsSchema, sessionRefOf } from './session-params.js';

interface LinkingRoutesOptions {
  readonly currentQr: CurrentQr;
  readonly commands: SessionCommands;
}

/** To draw a code takes ten times as long as to read it. */
function costOfQr({ headers }: FastifyRequest): number {
  return headers.accept?.includes('image/') === true ? 10 : 1;
}

/** Linking a session to a phone, by QR code or pairing code. What these calls answer is never cached. */
export const linkingRoutes: FastifyPluginAsyncZod<LinkingRoutesOptions> = async (
  app,
  { currentQr, commands },
) => {
  await app.register(accepts);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('vary', 'accept');
  });

  app.get(
    '/api/sessions/:id/qr',
    {
      config: { scope: 'sessions:write', cost: costOfQr },
      schema: {
        summary: 'The QR code to link the session with',
        description: 'As JSON, or drawn as PNG or SVG, by the Accept header.',
        tags: ['linking'],
        params: sessionParamsSchema,
        response: {
          200: {
            description: 'The QR code on show',
            content: {
              'application/json': { schema: qrSchema },
              'image/png': { schema: z.custom<Buffer>().describe('The code as a PNG image') },
              'image/svg+xml': { schema: z.string().describe('The code as an SVG image') },
            },
          },
          ...errorResponses,
        },
      },
    },
    async (request, reply) => {
      const type = request.type([...QR_TYPES]);
      if (type === false) {
        throw new WafleetError('NOT_ACCEPTABLE', `A QR code is had as ${QR_TYPES.join(', ')}.`);
      }
      const current = await currentQr.get(sessionRefOf(request));
      if (type === 'image/png') return reply.type(type).send(await qrPng(current.qr));
      if (type === 'image/svg+xml') return reply.type(type).send(await qrSvg(current.qr));
      return reply.send(current);
    },
  );

  app.post(
    '/api/sessions/:id/pairing-code',
    {
      config: { scope: 'sessions:write', cost: 20 },
      schema: {
        summary: 'A code to type into the phone instead of scanning a QR code',
        tags: ['linking'],
        params: sessionParamsSchema,
        body: createPairingCodeBodySchema,
        response: { 200: pairingCodeSchema, ...errorResponses },
      },
    },
    async (request) => {
      const { phone } = request.body;
      const ref = sessionRefOf(request);
      const { code, expiresAt } = await commands.call({ kind: 'pairing-code', ...ref, phone });
      return { code, expiresAt: new Date(expiresAt).toISOString() };
    },
  );
};
