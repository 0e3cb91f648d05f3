import { z } from 'zod';
import { tenantIdSchema } from '../identifiers.js';
import { tenantLimitChangesSchema, tenantLimitsSchema } from '../tenant-limits.js';
import type { RestCall } from './definition.js';
import { nameSchema } from './fields.js';

export const createTenantBodySchema = z.strictObject({ name: nameSchema });
export const tenantSchema = z.object({ id: tenantIdSchema, name: nameSchema });

export type Tenant = z.infer<typeof tenantSchema>;

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
  },
} as const satisfies Record<string, RestCall>;
