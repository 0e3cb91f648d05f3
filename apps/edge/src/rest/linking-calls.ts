import { type linkingCalls, WafleetError } from '@wafleet/contract';
import { sessionRefOf } from '../auth/session-ref.js';
import type { QrCodeQuery } from '../sessions/qr-code-query.js';
import type { HandlersOf } from './calls.js';
import { QR_TYPES, qrPng, qrSvg } from './qr-image.js';

/** Linking a session to a phone by QR code. */
export function linkingHandlers({
  currentQr,
}: {
  readonly currentQr: QrCodeQuery;
}): HandlersOf<typeof linkingCalls> {
  return {
    'get-qr': async ({ params, request, reply }) => {
      reply.header('vary', 'accept');
      const type = request.type([...QR_TYPES]);
      if (type === false) {
        throw new WafleetError('NOT_ACCEPTABLE', `A QR code is available as ${QR_TYPES.join(', ')}.`);
      }
      const current = await currentQr.get(sessionRefOf(request, params));
      if (type === 'image/png') return reply.type(type).send(await qrPng(current.qr));
      if (type === 'image/svg+xml') return reply.type(type).send(await qrSvg(current.qr));
      return reply.send(current);
    },
  };
}
