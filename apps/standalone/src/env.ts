import { AddressRules } from '@wafleet/egress';
import {
  fetchAllowField,
  hostField,
  integerField,
  logLevelField,
  proxyAllowField,
  redisUrlField,
  variable,
} from '@wafleet/runtime';
import { z } from 'zod';

export const environment = z.object({
  PORT: integerField({
    default: 3000,
    min: 1,
    max: 65_534,
    about: 'Where the first edge listens; the second one takes the next port.',
  }),
  HOST: variable(hostField.unwrap().default('127.0.0.1'), {
    about: 'The address that the edges listen on; 0.0.0.0 makes them reachable from other machines.',
    takes: 'an IP address or host name of this machine',
  }),
  REDIS_URL: variable(redisUrlField.optional(), {
    about: 'A Redis that runs already, instead of one that is started.',
    takes:
      'a URL such as redis://localhost:6379, rediss://user:password@host:6380 or redis+sentinel://host:26379,host:26379/name-of-the-primary',
    secret: true,
  }),
  ADMIN_TOKEN: variable(z.string().min(16).optional(), {
    about: 'The token of the administrator, who makes tenants and API keys. Without it a random one is used.',
    takes: 'at least 16 characters, such as `openssl rand -hex 32` prints',
    secret: true,
  }),
  WORKER_CAPACITY: integerField({
    default: 200,
    min: 1,
    max: 10_000,
    about: 'How many sessions a worker takes.',
  }),
  PROXY_ALLOW: proxyAllowField(AddressRules.canParse),
  FETCH_ALLOW: fetchAllowField(AddressRules.canParse),
  WHATSAPP_URL: variable(z.url({ protocol: /^wss?$/ }).optional(), {
    about: 'With --live: a server other than the real one.',
    takes: 'a URL such as ws://localhost:8080/ws/chat',
  }),
  WHATSAPP_VERSION: variable(
    z
      .string()
      // Clients report each number in 32 bits.
      .regex(/^\d{1,3}\.\d{1,5}\.(0|[1-9]\d{0,8}|[1-3]\d{9})$/)
      .optional(),
    {
      about: 'The version of WhatsApp Web to report, and no other one. Default: the newest that works.',
      takes: 'a version such as 2.3000.1043857760',
    },
  ),
  WHATSAPP_ROOT_KEY: variable(
    z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    {
      about: 'With --live: the key to trust of a server other than the real one.',
      takes: '64 hexadecimal digits, as the simulator prints them',
    },
  ),
  WHATSAPP_MEDIA_URL: variable(z.url({ protocol: /^https?$/ }).optional(), {
    about: 'With --live: a media host other than the real one.',
    takes: 'an http:// or https:// URL without a path',
  }),
  FFMPEG_PATH: variable(z.string().min(1).optional(), {
    about:
      'The program that converts files to send. Without it, ffmpeg on PATH, or else the one that npm installs here.',
    takes: 'a path, or a name on PATH',
  }),
  LOG_LEVEL: variable(logLevelField.unwrap().default('warn'), {
    about: 'The least important level of log lines to show.',
    takes: 'one of fatal, error, warn, info, debug, silent',
  }),
});
