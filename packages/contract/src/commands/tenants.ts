import { z } from 'zod';
import { tenantIdSchema } from '../identifiers.js';
import { tenantLimitChangesSchema, tenantLimitsSchema } from '../tenant-limits.js';
import type { RestCall } from './definition.js';
import { instantSchema, nameSchema } from './fields.js';
import { adminPageFields, nameFilterSchema, pageSchema } from './pages.js';

export const createTenantBodySchema = z.strictObject({ name: nameSchema });
export const tenantSchema = z.object({ id: tenantIdSchema, name: nameSchema });

/** What is left of a tenant that is being removed. */
export const tenantRemovalSchema = z.object({
  since: instantSchema,
  sessionsLeft: z.number().int().describe('How many of its sessions are not removed yet'),
});

export const tenantDetailsSchema = tenantSchema.extend({
  createdAt: instantSchema.optional().describe('Absent if it cannot be read'),
  removal: tenantRemovalSchema.optional().describe('Present while the tenant is being removed'),
});

export type Tenant = z.infer<typeof tenantSchema>;
export type TenantDetails = z.infer<typeof tenantDetailsSchema>;

export const tenantParamsSchema = z.object({ id: tenantIdSchema });

/** Tenants and their limits, for the administrator. */
export const tenantCalls = {
  'create-tenant': {
    route: 'POST /api/tenants',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Create a tenant',
    body: createTenantBodySchema,
    answers: { 201: tenantSchema },
    errors: ['OUTCOME_UNKNOWN'],
    example: { name: 'Acme' },
    isAudited: true,
  },
  'list-tenants': {
    route: 'GET /api/tenants',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'List the tenants',
    description: 'In the order of their ids.',
    query: z.strictObject({ ...adminPageFields, name: nameFilterSchema }),
    answers: { 200: pageSchema(tenantDetailsSchema.omit({ removal: true })) },
    errors: [],
  },
  'get-tenant': {
    route: 'GET /api/tenants/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Get a tenant',
    params: tenantParamsSchema,
    answers: { 200: tenantDetailsSchema },
    errors: ['TENANT_NOT_FOUND'],
  },
  'change-tenant': {
    route: 'PATCH /api/tenants/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Change the name of a tenant',
    params: tenantParamsSchema,
    body: createTenantBodySchema.partial(),
    answers: { 200: tenantDetailsSchema },
    errors: ['TENANT_NOT_FOUND'],
    example: { name: 'Acme' },
    isAudited: true,
  },
  'remove-tenant': {
    route: 'DELETE /api/tenants/:id',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Remove a tenant with everything that is stored of it',
    description:
      'Revokes its API keys at once, on all edges, and closes their connections. Its sessions are unlinked from their ' +
      'phones and wiped, which takes up to an hour for those that are not connected: until then the answer is 202, and ' +
      '`GET /api/tenants/:id` shows the progress. Then its events, limits and everything else are wiped: 204. Nothing can ' +
      'be made in the tenant meanwhile. It goes on by itself, also if an edge ends; a further call waits for it again. ' +
      'With `force=true` sessions are wiped at once, and their phones may go on listing a linked device.',
    params: tenantParamsSchema,
    query: z.strictObject({ force: z.enum(['true', 'false']).optional() }),
    answers: { 202: tenantRemovalSchema.extend({ id: tenantIdSchema }), 204: z.null() },
    errors: ['TENANT_NOT_FOUND'],
    isAudited: true,
  },
  'get-tenant-limits': {
    route: 'GET /api/tenants/:id/limits',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Get the limits of a tenant',
    params: tenantParamsSchema,
    answers: { 200: tenantLimitsSchema },
    errors: ['TENANT_NOT_FOUND'],
  },
  'change-tenant-limits': {
    route: 'PUT /api/tenants/:id/limits',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'Change limits of a tenant',
    description:
      'Changes those that are named; null restores the default. All edges and workers apply the new limits within ' +
      'seconds, without a restart. What a tenant has beyond a new limit stays, and no more is added.',
    params: tenantParamsSchema,
    body: tenantLimitChangesSchema,
    answers: { 200: tenantLimitsSchema },
    errors: ['TENANT_NOT_FOUND'],
    example: { sessions: 500 },
    isAudited: true,
  },
} as const satisfies Record<string, RestCall>;
