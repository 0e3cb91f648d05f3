import { hostField, integerField, logLevelField, portField, redisUrlField, variable } from '@wafleet/runtime';
import { z } from 'zod';

/** The environment variables of an edge. */
export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  PORT: portField(3000, 'The port of REST, Socket.IO and the health checks.'),
  ADMIN_TOKEN: variable(z.string().min(16), {
    about: 'The token of the administrator, who makes tenants and API keys.',
    takes: 'at least 16 characters, such as `openssl rand -hex 32` prints',
    secret: true,
  }),
  CORS_ORIGIN: variable(z.string().min(1).default('*'), {
    about: 'The web pages that browsers may call this edge from.',
    takes: '* for any, or origins such as https://app.example.com, separated by commas',
  }),
  STOP_DELAY_MS: integerField({
    default: 0,
    min: 0,
    max: 60_000,
    about:
      'How long /readyz answers 503 before connections are closed: as long as the load balancer takes to notice.',
  }),
  LOG_LEVEL: logLevelField,
});
