import { hostField, integerField, logLevelField, portField, redisUrlField } from '@wafleet/runtime';
import { z } from 'zod';

export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  HEALTH_PORT: portField(3081, 'Where /healthz and /readyz are served.'),
  PLACEMENTS_PER_SECOND: integerField({
    default: 20,
    min: 1,
    max: 10_000,
    about: 'How many sessions all placers together give to workers in a second, at the most.',
  }),
  LOG_LEVEL: logLevelField,
});

export type PlacerEnvironment = z.output<typeof environment>;
