import { z } from 'zod';
import { KEY_SCOPES } from '../api-key-scopes.js';
import { keyIdSchema, sessionIdSchema, tenantIdSchema } from '../identifiers.js';
import type { RestCall } from './definition.js';
import { instantSchema, nameSchema } from './fields.js';
import { adminPageFields, nameFilterSchema, pageSchema } from './pages.js';
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

const futureSchema = keyExpirySchema.refine((instant) => !isPast(instant), 'must be in the future');

export const createKeyBodySchema = z.strictObject({
  tenantId: tenantIdSchema,
  name: nameSchema.optional(),
  scopes: scopesSchema.min(1).default([...KEY_SCOPES]),
  sessions: keySessionsSchema.min(1).max(MAX_SESSIONS_OF_KEY).optional(),
  expiresAt: futureSchema.optional(),
});
export const apiKeySchema = z.object({
  id: keyIdSchema,
  tenantId: tenantIdSchema,
  name: nameSchema.optional(),
  scopes: scopesSchema,
  sessions: keySessionsSchema.optional(),
  createdAt: instantSchema,
  expiresAt: keyExpirySchema.optional(),
  lastUsedAt: instantSchema.optional().describe('When it was last used. Up to a minute behind'),
});
const keyPageSchema = pageSchema(apiKeySchema);
export const createdKeySchema = apiKeySchema.extend({
  key: z.string().describe('The API key itself. It is shown in this answer only.'),
});

export const changeKeyBodySchema = z
  .strictObject({
    name: nameSchema.nullable().describe('null for none'),
    expiresAt: futureSchema.nullable().describe('When the key ends; null for never'),
  })
  .partial();

const DAY_S = 86_400;

export const rotateKeyBodySchema = z.strictObject({
  overlapSeconds: z
    .number()
    .int()
    .min(0)
    .max(30 * DAY_S)
    .describe('For how long the earlier key stays valid as well; 0 ends it at once'),
  expiresAt: futureSchema
    .nullable()
    .optional()
    .describe('When the new key ends; null for never. Default: as the earlier key'),
});
export const rotatedKeySchema = createdKeySchema.extend({
  replaces: z
    .object({ id: keyIdSchema, expiresAt: instantSchema })
    .describe('The earlier key, and when it ends'),
});

export type ApiKeyView = z.infer<typeof apiKeySchema>;
const keyParamsSchema = z.object({ id: keyIdSchema });

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
    isAudited: true,
  },
  'list-keys': {
    route: 'GET /api/tenants/:id/keys',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'List the API keys of a tenant',
    description:
      'Oldest first. The keys themselves are not shown. One that has expired is listed for seven more days.',
    params: tenantParamsSchema,
    query: z.strictObject({ ...adminPageFields, name: nameFilterSchema }),
    answers: { 200: keyPageSchema },
    errors: ['TENANT_NOT_FOUND'],
  },
  'get-key': {
    route: 'GET /api/keys/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Get an API key',
    description: 'The key itself is not shown.',
    params: keyParamsSchema,
    answers: { 200: apiKeySchema },
    errors: ['KEY_NOT_FOUND'],
  },
  'change-key': {
    route: 'PATCH /api/keys/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Change the name or the end of an API key',
    description:
      'What is not named stays as it is. All edges apply a new end within seconds, also to connections that are open. ' +
      'Scopes and sessions never change: rotate the key, or make another one.',
    params: keyParamsSchema,
    body: changeKeyBodySchema,
    answers: { 200: apiKeySchema },
    errors: ['KEY_NOT_FOUND'],
    example: { name: 'shop' },
    isAudited: true,
  },
  'rotate-key': {
    route: 'POST /api/keys/:id/rotate',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Replace an API key by a new one, with a time in which both are valid',
    description:
      'The new key has the name, scopes, sessions and end of the earlier one, and is shown in this answer only. When the ' +
      'overlap is over, the earlier key ends as one that expires: its connections are closed with `KEY_EXPIRED`. If the ' +
      'answer is lost, revoke the new key and rotate again.',
    params: keyParamsSchema,
    body: rotateKeyBodySchema,
    answers: { 201: rotatedKeySchema },
    errors: ['KEY_NOT_FOUND', 'TENANT_NOT_FOUND', 'OUTCOME_UNKNOWN'],
    isSecret: true,
    example: { overlapSeconds: 3_600 },
    isAudited: true,
  },
  'revoke-key': {
    route: 'DELETE /api/keys/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Revoke an API key',
    description: 'Its sockets are disconnected, on every edge.',
    params: keyParamsSchema,
    answers: { 204: z.null() },
    errors: ['KEY_NOT_FOUND'],
    isAudited: true,
  },
} as const satisfies Record<string, RestCall>;
