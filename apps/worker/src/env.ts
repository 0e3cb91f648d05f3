import { AddressRules } from '@wafleet/egress';
import {
  encryptionKeyField,
  hostField,
  integerField,
  logLevelField,
  portField,
  proxyAllowField,
  redisUrlField,
  variable,
} from '@wafleet/runtime';
import { EVENT_LOG_BOUNDS, parseTenantLimits } from '@wafleet/store';
import { z } from 'zod';

export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  HEALTH_PORT: portField(3082, 'Where /healthz, /readyz and /metrics are served.'),
  ENCRYPTION_KEY: encryptionKeyField,
  WHATSAPP_URL: variable(z.url({ protocol: /^wss?$/ }).default('wss://web.whatsapp.com/ws/chat'), {
    about: 'The WhatsApp server. Default: the real service.',
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
  WHATSAPP_VERSION: variable(
    z
      .string()
      // Clients report each number in 32 bits.
      .regex(/^\d{1,3}\.\d{1,5}\.(0|[1-9]\d{0,8}|[1-3]\d{9})$/)
      .optional(),
    {
      about:
        'The version of WhatsApp Web to report, and no other one; the same for all workers. Default: the newest that works.',
      takes: 'a version such as 2.3000.1043857760',
    },
  ),
  PROXY_ALLOW: proxyAllowField(AddressRules.canParse),
  VERSION_TRIAL_MS: integerField({
    default: 600_000,
    min: 0,
    max: 86_400_000,
    about:
      'How long the first sessions with a new version of WhatsApp Web must stay open before the others follow; the same for all workers.',
  }),
  WORKER_CAPACITY: integerField({
    default: 200,
    min: 1,
    max: 100_000,
    about: 'How many sessions this worker takes.',
  }),
  WORKER_ID: variable(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/)
      .optional(),
    {
      about:
        'A name that no other worker may have at the same time, such as that of its pod; none is needed.',
      takes: 'up to 64 letters, digits, dots, dashes and underscores',
    },
  ),
  EVENT_LOG_LENGTH: integerField({
    default: EVENT_LOG_BOUNDS.maxLength,
    min: 100,
    max: 10_000_000,
    about: 'How many events of each tenant are kept for clients that resume; the same for all workers.',
  }),
  EVENT_LOG_MAX_AGE: integerField({
    default: EVENT_LOG_BOUNDS.maxAgeMs / 1000,
    min: 1,
    max: 366 * 24 * 60 * 60,
    about: 'How many seconds an event is kept for clients that resume; the same for all workers and edges.',
  }),
  TENANT_LIMITS: variable(
    z
      .string()
      .default('')
      .refine(
        (text) => parseTenantLimits(text) !== undefined,
        'it has an unknown limit, or a value that a limit does not take',
      ),
    {
      about:
        'What a tenant may have and do for which the administrator set nothing else; the same for all edges and workers.',
      takes: 'limits of docs/limits.md that differ from their defaults, such as sessions=500,commands=100',
    },
  ),
  CONNECTS_PER_SECOND: integerField({
    default: 20,
    min: 1,
    max: 10_000,
    about:
      'How many connects to WhatsApp all workers together make in a second, at most; the same for all of them.',
  }),
  DRAIN_TIMEOUT_MS: integerField({
    default: 45_000,
    min: 0,
    max: 3_600_000,
    about:
      'How long a stop may hand sessions over; what is left then is closed, and taken over as after a crash.',
  }),
  RELEASE: variable(
    z
      .string()
      .regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/)
      .optional(),
    {
      about:
        'The release of this worker. Sessions go to workers of the newest. Default: the version of the code.',
      takes: 'text whose numbers grow from release to release, such as 1.4.0 or 2026-11-22.3',
    },
  ),
  LOG_LEVEL: logLevelField,
});

export type WorkerEnvironment = z.output<typeof environment>;
