import { z } from 'zod';

/** A session's id, unique within its tenant: chosen by the tenant or generated. */
export const sessionIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"');

/** A tenant's id, generated. It stands inside Redis hash tags and room names, hence the narrow alphabet. */
export const tenantIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not a tenant id');

/** An API key's id, generated; not secret, unlike the key. */
export const keyIdSchema = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not a key id');
