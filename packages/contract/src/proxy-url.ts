import { z } from 'zod';

/** What may be shown of a proxy. */
export const proxySchema = z.object({
  kind: z.enum(['http', 'https', 'socks5']),
  host: z.string(),
  port: z.number().int(),
  hasCredentials: z.boolean().describe('Whether a user name or a password is set. They are never shown'),
});

export type ShownProxy = z.output<typeof proxySchema>;

/** The URL of a proxy, which may hold a password. The edge checks that it is one: no error may repeat it. */
export const proxyUrlSchema = z.string().min(1).max(2_048);
