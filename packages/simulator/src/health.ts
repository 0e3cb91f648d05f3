import type { Feature } from './server/feature.js';

/** `GET /healthz`: 200 as long as the simulator answers at all. */
export const healthFeature: Feature = {
  routes: (app, { world, gate }) => {
    app.get('/healthz', () => ({
      status: 'ok',
      phones: [...world.phones()].length,
      online: gate.onlineCount,
    }));
  },
};
