import { AddressRules } from '@wafleet/egress';
import {
  fetchAllowField,
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
import { isApiKey } from './auth/credentials.js';
import { areOrigins } from './http/origins.js';
import { areProxies, parseProxies } from './limits/client-address.js';

/** The environment variables of an edge. */
export const environment = z.object({
  REDIS_URL: redisUrlField,
  HOST: hostField,
  PORT: portField(3000, 'The port of REST, Socket.IO, the health checks and /metrics.'),
  ADMIN_TOKEN: variable(
    z
      .string()
      .min(16)
      .refine((token) => !isApiKey(token)),
    {
      about: 'The token of the administrator, who makes tenants and API keys.',
      takes: 'at least 16 characters, such as `openssl rand -hex 32` prints',
      secret: true,
    },
  ),
  METRICS_TOKEN: variable(z.string().min(16).optional(), {
    about: 'The token that GET /metrics takes. Without it anyone who reaches this edge may read the metrics.',
    takes: 'at least 16 characters',
    secret: true,
  }),
  CORS_ORIGIN: variable(
    z
      .string()
      .default('*')
      .refine(areOrigins, 'an origin has a scheme and a host, and no path or slash at its end'),
    {
      about: 'The web pages that browsers may call this edge from.',
      takes: '* for any, or origins such as https://app.example.com, separated by commas',
    },
  ),
  PUBLIC_URL: variable(z.url({ protocol: /^https?$/ }).optional(), {
    about:
      'Where browsers reach the edges, for the links by which people use a passkey. Without it, the address that the link is asked for at.',
    takes: 'an https:// or http:// URL, such as https://api.example.com',
  }),
  STOP_DELAY_MS: integerField({
    default: 0,
    min: 0,
    max: 60_000,
    about:
      'How long /readyz answers 503 before connections are closed: as long as the load balancer takes to notice.',
  }),
  MAX_UNSENT_BYTES: integerField({
    default: 4 * 1024 * 1024,
    min: 64 * 1024,
    max: 1024 ** 3,
    about: 'How many bytes of events may wait for one socket that does not read them, before it is closed.',
  }),
  MAX_UNSENT_PACKETS: integerField({
    default: 10_000,
    min: 100,
    max: 10_000_000,
    about: 'How many events may wait for one socket that does not read them, before it is closed.',
  }),
  MAX_BUFFERED_BYTES: integerField({
    default: 256 * 1024 * 1024,
    min: 4 * 1024 * 1024,
    max: 1024 ** 4,
    about:
      'How many bytes of events may wait in this edge for all its clients together. Beyond that, those that read slowest are closed. Replays fill no more than half of it.',
  }),
  MAX_REPLAYS: integerField({
    default: 10_000,
    min: 1,
    max: 10_000_000,
    about:
      'How many clients of this edge may be given what they missed at a time, those included that wait for a turn.',
  }),
  REPLAY_BYTES_PER_SECOND: integerField({
    default: 32 * 1024 * 1024,
    min: 64 * 1024,
    max: 1024 ** 4,
    about:
      'How many bytes of the logs this edge reads a second for clients that missed something; twice as many at once.',
  }),
  MAX_SOCKETS_PER_KEY: integerField({
    default: 1_000,
    min: 1,
    max: 10_000_000,
    about: 'How many connections for events one API key may have, to all edges together.',
  }),
  HANDSHAKES_PER_KEY: integerField({
    default: 100,
    min: 1,
    max: 1_000_000,
    about:
      'How many connections for events may be made with one API key to this edge, a second; ten times as many at once.',
  }),
  HANDSHAKES_PER_ADDRESS: integerField({
    default: 100,
    min: 1,
    max: 1_000_000,
    about:
      'How many connections for events may be made from one address to this edge, a second; ten times as many at once. One with a wrong key counts ten times, and so does a REST request with a wrong key.',
  }),
  MAX_CONNECTIONS: integerField({
    default: 0,
    min: 0,
    max: 10_000_000,
    about:
      'How many connections clients may have to this edge; 0 for about half of the files that the process may have open.',
  }),
  MAX_CONNECTIONS_PER_ADDRESS: integerField({
    default: 2_000,
    min: 1,
    max: 10_000_000,
    about: 'How many connections one address may have to this edge; never more than half of all.',
  }),
  MAX_CALLS_PER_TENANT: integerField({
    default: 500,
    min: 1,
    max: 10_000_000,
    about: 'How many REST calls of a tenant may be under way at this edge at a time.',
  }),
  MAX_CALLS_PER_KEY: integerField({
    default: 300,
    min: 1,
    max: 10_000_000,
    about: 'How many of them may be with the same API key.',
  }),
  TRUSTED_PROXY_HOPS: integerField({
    default: 1,
    min: 1,
    max: 10,
    about: 'How many trusted proxies stand between a client and this edge, one behind the other.',
  }),
  TRUSTED_PROXIES: variable(
    z
      .string()
      .default('')
      .refine(
        (text) => areProxies(parseProxies(text)),
        'not an address or a network, or a network wider than /8 (IPv4) or /7 (IPv6)',
      ),
    {
      about:
        'The proxies in front of this edge whose X-Forwarded-For has the address of a client; that of others is ignored.',
      takes:
        'addresses, networks such as 10.0.0.0/8, loopback, linklocal or uniquelocal (private networks), separated by commas',
    },
  ),
  MAX_FRAMES_PER_SECOND: integerField({
    default: 50,
    min: 1,
    max: 1_000_000,
    about:
      'How many frames one socket may send a second; ten times as many at once. Beyond that it is closed.',
  }),
  EVENT_LOG_MAX_AGE: integerField({
    default: EVENT_LOG_BOUNDS.maxAgeMs / 1000,
    min: 1,
    max: 366 * 24 * 60 * 60,
    about:
      'How many seconds workers keep an event for clients that resume; the same as for the workers. Clients that are away are remembered as long, and no shorter than a day.',
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
  WHATSAPP_MEDIA_URL: variable(
    z
      .url({ protocol: /^https?$/ })
      .refine((url) => !URL.canParse(url) || new URL(url).href === `${new URL(url).origin}/`)
      .default('https://mmg.whatsapp.net'),
    {
      about: 'The media host that files of messages are fetched from, and from no other one.',
      takes: 'an http:// or https:// URL without a path',
    },
  ),
  PROXY_ALLOW: proxyAllowField(AddressRules.canParse),
  MAX_MEDIA_BYTES: integerField({
    default: 2 * 1024 ** 3,
    min: 1024,
    max: 1024 ** 4,
    about: 'How large a file of a message may be to be handed out, in bytes.',
  }),
  MAX_MEDIA_DOWNLOADS: integerField({
    default: 100,
    min: 1,
    max: 100_000,
    about: 'How many files of messages this edge hands out at a time.',
  }),
  JOBS_AT_ONCE: integerField({
    default: 20,
    min: 0,
    max: 1_000,
    about:
      'How many jobs that send messages this edge runs at a time, half of them of one tenant at most; 0 for none.',
  }),
  MAX_UPLOAD_BYTES: integerField({
    default: 100 * 1024 * 1024,
    min: 1024,
    max: 2 * 1024 ** 3,
    about: 'How large a file may be that a client sends, in bytes.',
  }),
  MAX_MEDIA_UPLOADS: integerField({
    default: 50,
    min: 1,
    max: 100_000,
    about: 'How many files this edge receives, converts and uploads at a time.',
  }),
  MEDIA_SPOOL_DIR: variable(z.string().min(1).optional(), {
    about:
      'Where files are on disk while they are converted and uploaded. They have no names, so nothing stays there. Without it, the directory of the system for temporary files.',
    takes: 'a directory that exists, on a disk and not in memory',
  }),
  MEDIA_SPOOL_BYTES: integerField({
    default: 4 * 1024 ** 3,
    min: 1024 ** 2,
    max: 1024 ** 5,
    about: 'How many bytes these files may have together. Beyond that, clients are asked to try again.',
  }),
  FFMPEG_PATH: variable(z.string().min(1).optional(), {
    about: 'The program FFmpeg, which converts videos, audio and animations. Without it, ffmpeg on PATH.',
    takes: 'a path, or a name on PATH',
  }),
  MEDIA_TOOLS_AT_ONCE: integerField({
    default: 2,
    min: 1,
    max: 1_000,
    about: 'How many files are converted at a time. Each may take a whole processor.',
  }),
  FETCH_ALLOW: fetchAllowField(AddressRules.canParse),
  PEER_HOST: variable(z.string().min(1).optional(), {
    about:
      'Where other edges reach this one, to hand on requests of HTTP long-polling clients. Without it, the load balancer needs sticky sessions.',
    takes: 'an address of this machine in its private network, or auto for the first one that there is',
  }),
  PEER_PORT: portField(0, 'The port for that; it should be open to other edges only.'),
  LOG_LEVEL: logLevelField,
});
