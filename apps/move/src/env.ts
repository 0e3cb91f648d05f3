import { variable } from '@wafleet/runtime';
import { z } from 'zod';

/** Secrets come by these variables or by the standard input, never as arguments, which every user of a machine sees. */
export const environment = z.object({
  WAFLEET_URL: variable(z.url({ protocol: /^https?$/ }).default('http://localhost:3000'), {
    about: 'Where the cluster is, unless --api says so.',
    takes: 'an http:// or https:// URL',
  }),
  WAFLEET_API_KEY: variable(z.string().min(1).optional(), {
    about: 'The API key. Without it, it is read from the standard input.',
    takes: 'a key with the scope sessions:write for an import, sessions:export for an export',
    secret: true,
  }),
  WAFLEET_PASSPHRASE: variable(z.string().min(12).optional(), {
    about: 'The passphrase of a bundle. Without it, it is read from the standard input, after the API key.',
    takes: 'at least 12 characters',
    secret: true,
  }),
  WAFLEET_PROXY: variable(z.string().min(1).optional(), {
    about: 'The proxy of the session that is imported, from its first connection on.',
    takes: 'the URL of a proxy, with user and password if it wants them',
    secret: true,
  }),
});

export type MoveEnvironment = z.infer<typeof environment>;
