import { z } from 'zod';
import { variable } from './environment.js';
import { parseRedisUrl, RedisUrlError } from './redis-address.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

export const logLevelField = variable(z.enum(LOG_LEVELS).default('info'), {
  about: 'The least important level of log lines to write.',
  takes: `one of ${LOG_LEVELS.join(', ')}`,
});

export const redisUrlField = variable(
  z
    .string()
    .trim()
    .superRefine((url, context) => {
      try {
        parseRedisUrl(url);
      } catch (error) {
        if (!(error instanceof RedisUrlError)) throw error;
        context.addIssue(error.message);
      }
    }),
  {
    about: 'The Redis that all processes of the cluster share.',
    takes:
      'a URL such as redis://localhost:6379, rediss://user:password@host:6380 or redis+sentinel://host:26379,host:26379/name-of-the-primary',
    secret: true,
  },
);

export const hostField = variable(z.string().min(1).default('0.0.0.0'), {
  about: 'The address to listen on.',
  takes: 'an IP address or host name of this machine',
});

/** A TCP port to listen on; 0 takes any free one. */
export function portField(defaultPort: number, about: string) {
  return variable(z.coerce.number().int().min(0).max(65_535).default(defaultPort), {
    about,
    takes: 'a port number from 0 to 65535, 0 for any free one',
  });
}

/** @param areNetworks whether a text is a list of networks. This package does not load the code that knows. */
export function proxyAllowField(areNetworks: (text: string) => boolean) {
  return variable(z.string().default('').refine(areNetworks, 'not an address or a network'), {
    about:
      'Networks that are not public in which the proxies of sessions may be; the same for all workers and edges.',
    takes: 'addresses and networks separated by commas, such as 10.3.0.0/16,192.168.7.9',
  });
}

/** @param areNetworks as for `proxyAllowField`. */
export function fetchAllowField(areNetworks: (text: string) => boolean) {
  return variable(z.string().default('').refine(areNetworks, 'not an address or a network'), {
    about: 'Networks that are not public in which the addresses may be that clients have fetched.',
    takes: 'addresses and networks separated by commas, such as 10.3.0.0/16,192.168.7.9',
  });
}

/** A whole number within bounds. */
export function integerField(options: { default: number; min: number; max: number; about: string }) {
  return variable(z.coerce.number().int().min(options.min).max(options.max).default(options.default), {
    about: options.about,
    takes: `a whole number from ${options.min} to ${options.max}`,
  });
}

export const encryptionKeyField = variable(z.string().regex(/^[0-9a-fA-F]{64}(,[0-9a-fA-F]{64})*$/), {
  about:
    'The key that session credentials are sealed with (AES-256-GCM), then the older ones that still open.',
  takes:
    '64 hexadecimal digits, such as `openssl rand -hex 32` prints, or several such with commas between them',
  secret: true,
});
