import { z } from 'zod';
import { errorDescriptionSchema } from '../errors.js';
import { keyIdSchema, tenantIdSchema } from '../identifiers.js';
import type { RestCall } from './definition.js';
import { instantSchema } from './fields.js';
import { adminPageFields, pageSchema } from './pages.js';
import { tenantParamsSchema } from './tenants.js';

/** An act of the administrator, or of an API key. */
export const auditEntrySchema = z.object({
  id: z.string(),
  at: instantSchema.describe('When it ended; of an act without an outcome, when it began'),
  actor: z.union([z.literal('admin'), keyIdSchema]).describe('`admin`, or the id of the API key'),
  action: z.string().describe('The `operationId` of the call, such as `create-key`'),
  target: z.string().optional().describe('The id of what it is about: a tenant, an API key or a session'),
  tenantId: tenantIdSchema.optional(),
  requestId: z.string(),
  address: z.string().describe('Where the request came from'),
  input: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'The body and the query of an act of the administrator; absent if they are larger than 2,000 bytes',
    ),
  outcome: z
    .enum(['done', 'refused', 'unknown'])
    .describe('`unknown`: it is under way, or the edge ended meanwhile, and it may have been done'),
  error: errorDescriptionSchema.shape.code.optional().describe('Why it was refused, or may have failed'),
});

export type AuditEntry = z.output<typeof auditEntrySchema>;

const filterFields = {
  action: z.string().max(100).optional().describe('Only those of this action'),
  outcome: auditEntrySchema.shape.outcome.optional(),
  since: instantSchema.optional().describe('Only those from this time on'),
  until: instantSchema.optional().describe('Only those up to this time'),
};

export const auditQuerySchema = z.strictObject({
  ...adminPageFields,
  ...filterFields,
  tenantId: tenantIdSchema.optional().describe('Only those about this tenant, its keys and limits'),
  target: z.string().max(100).optional().describe('Only those about the tenant or API key of this id'),
});

export const tenantAuditQuerySchema = z.strictObject({
  ...adminPageFields,
  ...filterFields,
  actor: keyIdSchema.optional().describe('Only those of this API key'),
  target: z.string().max(100).optional().describe('Only those about the session of this id'),
});

/** Who did what, for the administrator. */
export const auditCalls = {
  'list-audit': {
    route: 'GET /api/audit',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'List what the administrator did',
    description:
      'Newest first: what was created, changed, rotated, revoked and removed, also of tenants that are removed.',
    query: auditQuerySchema,
    answers: { 200: pageSchema(auditEntrySchema) },
    errors: [],
  },
  'list-tenant-audit': {
    route: 'GET /api/tenants/:id/audit',
    access: 'admin',
    cost: 0,
    tag: 'administration',
    summary: 'List which sessions the API keys of a tenant removed, imported and exported',
    description: 'Newest first. It is removed with the tenant.',
    params: tenantParamsSchema,
    query: tenantAuditQuerySchema,
    answers: { 200: pageSchema(auditEntrySchema) },
    errors: ['TENANT_NOT_FOUND'],
  },
} as const satisfies Record<string, RestCall>;
