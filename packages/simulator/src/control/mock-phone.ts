import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Phone } from '../phone/phone.js';
import type { ControlledSimulator } from './controlled-simulator.js';

/** The group that Baileys' end-to-end tests look for among those of the linked account. */
const testGroup = 'Baileys Group Test';

/**
 * `POST /admin/mock-phone/scan-qr`, by which Baileys' end-to-end tests have a phone scan the QR code in the body.
 * The phone is chosen by the client's `pushName` and created if the name is new: clients with the same name are
 * devices of one account. It answers 204, or 409 when the code is unknown, has expired, or the client goes away.
 */
export function addMockPhoneRoute(app: FastifyInstance, simulator: ControlledSimulator): void {
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.post('/admin/mock-phone/scan-qr', async (request, reply) => {
    const qr = String(request.body ?? '');
    try {
      const { pushName } = simulator.gate.clientOf(qr).payload;
      await phoneFor(simulator, pushName).scan(qr);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return reply.code(409).send({ error: { code: 'NOT_LINKED', message } });
    }
    return reply.code(204).send();
  });
}

function phoneFor(simulator: ControlledSimulator, pushName: string | undefined): Phone {
  if (pushName === undefined) return newcomer(simulator, 'Guest', simulator.world.freeNumber());
  const hash = createHash('sha256').update(pushName).digest().readUIntBE(0, 6);
  const number = `1${2_000_000_000 + (hash % 8_000_000_000)}`;
  return simulator.world.phoneByNumber(number) ?? newcomer(simulator, pushName, number);
}

function newcomer(simulator: ControlledSimulator, name: string, number: string): Phone {
  const phone = simulator.addPhone({ name, number });
  simulator.groups.create(phone, testGroup, []);
  return phone;
}
