import {
  encryptionKeyField,
  hostField,
  integerField,
  logLevelField,
  portField,
  redisUrlField,
  variable,
} from '@wafleet/runtime';
import { z } from 'zod';

export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  HEALTH_PORT: portField(3082, 'Where /healthz and /readyz are served.'),
  ENCRYPTION_KEY: encryptionKeyField,
  WHATSAPP_URL: variable(z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'), {
    about: 'The WhatsApp server; the real service unless told.',
    takes: 'a URL such as wss://web.whatsapp.com/ws/chat or ws://localhost:8088/ws/chat',
  }),
  WHATSAPP_ROOT_KEY: variable(
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    {
      about: 'The key to trust in place of WhatsApp’s own, for a server other than the real one.',
      takes: '64 hexadecimal digits, as the simulator prints them',
    },
  ),
  WORKER_CAPACITY: integerField({
    default: 200,
    min: 1,
    max: 100_000,
    about: 'How many sessions this worker takes.',
  }),
  EVENT_LOG_LENGTH: integerField({
    default: 10_000,
    min: 100,
    max: 10_000_000,
    about: 'How many events of each tenant are kept for clients that resume.',
  }),
  LOG_LEVEL: logLevelField,
});

export type WorkerEnvironment = z.output<typeof environment>;
