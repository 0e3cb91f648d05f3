import { hostField, integerField, logLevelField, portField, redisUrlField, variable } from '@wafleet/runtime';
import { z } from 'zod';

export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  HEALTH_PORT: portField(3081, 'Where /healthz, /readyz and /metrics are served.'),
  PLACEMENTS_PER_SECOND: integerField({
    default: 20,
    min: 1,
    max: 10_000,
    about: 'How many sessions all placers together give to workers in a second, at most.',
  }),
  REBALANCE_EVERY_MS: integerField({
    default: 10_000,
    min: 0,
    max: 3_600_000,
    about: 'How often a few sessions may move to a worker that has much fewer; 0 leaves them where they are.',
  }),
  WHATSAPP_URL: variable(z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'), {
    about:
      'The WhatsApp server of the workers. Its host names the newest version of WhatsApp Web. Default: the real service.',
    takes: 'a URL such as wss://web.whatsapp.com/ws/chat or ws://localhost:8088/ws/chat',
  }),
  VERSION_CHECK_EVERY_MS: integerField({
    default: 3_600_000,
    min: 0,
    max: 86_400_000,
    about: 'How often it is asked for that version; 0 for never.',
  }),
  LOG_LEVEL: logLevelField,
});

export type PlacerEnvironment = z.output<typeof environment>;
