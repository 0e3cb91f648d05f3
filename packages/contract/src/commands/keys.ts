import { z } from 'zod';
import { KEY_SCOPES } from '../api-key-scopes.js';
import { keyIdSchema, sessionIdSchema, tenantIdSchema } from '../identifiers.js';
import type { RestCall } from './definition.js';
import { instantSchema, nameSchema } from './fields.js';
import { tenantParamsSchema } from './tenants.js';

/** How many sessions an API key’s list may name. */
const MAX_SESSIONS_OF_KEY = 1000;

const scopesSchema = z.array(z.enum(KEY_SCOPES)).describe('What the key may do');
const keySessionsSchema = z
  .array(sessionIdSchema)
  .describe('The only sessions that exist for the key, made already or not; absent for all of the tenant');
const keyExpirySchema = instantSchema.describe('When the key ends, UTC, ISO 8601; absent for never');

function isPast(instant: string): boolean {
  return Date.parse(instant) <= Date.now();
}

export const createKeyBodySchema = z.strictObject({
  tenantId: tenantIdSchema,
  name: nameSchema.optional(),
  scopes: scopesSchema.min(1).default([...KEY_SCOPES]),
  sessions: keySessionsSchema.min(1).max(MAX_SESSIONS_OF_KEY).optional(),
  expiresAt: keyExpirySchema.refine((instant) => !isPast(instant), 'must be in the future').optional(),
});
export const apiKeySchema = z.object({
  id: keyIdSchema,
  tenantId: tenantIdSchema,
  name: nameSchema.optional(),
  scopes: scopesSchema,
  sessions: keySessionsSchema.optional(),
  createdAt: instantSchema,
  expiresAt: keyExpirySchema.optional(),
});
export const apiKeyListSchema = z.array(apiKeySchema);
export const createdKeySchema = apiKeySchema.extend({
  key: z.string().describe('The API key itself. It is shown in this answer only.'),
});

export type ApiKeyView = z.infer<typeof apiKeySchema>;
export type CreateKeyBody = z.input<typeof createKeyBodySchema>;
export type CreatedKey = z.infer<typeof createdKeySchema>;

/** API keys, for the administrator. */
export const keyCalls = {
  'create-key': {
    route: 'POST /api/keys',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Create an API key for a tenant',
    description:
      'The key itself is shown in this answer only; it is stored as a hash. ' +
      'Without `scopes`, `sessions` and `expiresAt` it may do everything in its tenant, and never expires.',
    body: createKeyBodySchema,
    answers: { 201: createdKeySchema },
    errors: ['TENANT_NOT_FOUND', 'OUTCOME_UNKNOWN'],
    isSecret: true,
    example: { tenantId: 'tnt_1', name: 'shop', scopes: ['events:read'] },
  },
  'list-keys': {
    route: 'GET /api/tenants/:id/keys',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'List the API keys of a tenant',
    description: 'The keys themselves are not shown. One that has expired is listed for seven more days.',
    params: tenantParamsSchema,
    answers: { 200: apiKeyListSchema },
    errors: ['TENANT_NOT_FOUND'],
  },
  'revoke-key': {
    route: 'DELETE /api/keys/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Revoke an API key',
    description: 'Its sockets are disconnected, on every edge.',
    params: z.object({ id: keyIdSchema }),
    answers: { 204: z.null() },
    errors: ['KEY_NOT_FOUND'],
  },
} as const satisfies Record<string, RestCall>;
