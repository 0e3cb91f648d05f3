import type { FastifyInstance } from 'fastify';
import type { ControlledSimulator } from './controlled-simulator.js';

/** `GET /healthz`: 200 as long as the simulator answers at all. */
export function addHealthRoute(app: FastifyInstance, { world, gate }: ControlledSimulator): void {
  app.get('/healthz', () => ({
    status: 'ok',
    phones: [...world.phones()].length,
    online: gate.onlineCount,
  }));
}
