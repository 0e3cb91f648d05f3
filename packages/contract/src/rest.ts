import { z } from 'zod';
import { KEY_SCOPES } from './api-key-scopes.js';
import { keyIdSchema, sessionIdSchema, tenantIdSchema } from './identifiers.js';
import { sessionStatusSchema } from './session-status.js';

const nameSchema = z.string().trim().min(1).max(100);
const instantSchema = z.iso.datetime().describe('UTC, ISO 8601');

export const createTenantBodySchema = z.strictObject({ name: nameSchema });
export const tenantSchema = z.object({ id: tenantIdSchema, name: nameSchema });

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

export const createSessionBodySchema = z.strictObject({
  id: sessionIdSchema.optional(),
  name: nameSchema.optional(),
});
export const createdSessionSchema = z.object({ id: sessionIdSchema, status: sessionStatusSchema });

export const sessionSchema = z.object({
  id: sessionIdSchema,
  name: nameSchema.optional(),
  status: sessionStatusSchema,
  reason: z.string().optional().describe('Why the session has this status, where there is a reason to tell'),
  since: instantSchema,
  worker: z.string().optional().describe('The worker incarnation that owns the session'),
  phone: z.string().optional().describe('The linked phone number, digits only'),
  lastStanzaAt: instantSchema
    .optional()
    .describe('When WhatsApp last delivered something to the session. Up to a minute behind'),
  lastMessageAt: instantSchema
    .optional()
    .describe('When WhatsApp last delivered a message to the session. Up to a minute behind'),
});
/** What became of a session that could not be unlinked from its phone at once. */
export const sessionRemovalSchema = z.object({
  id: sessionIdSchema,
  removal: z
    .enum(['removing', 'still-listed'])
    .describe(
      '`removing`: its keys are kept, for up to an hour, until a worker has logged it out. ' +
        '`still-listed`: it is removed, and its phone may go on listing a linked device.',
    ),
});

export const sessionListSchema = z.array(sessionSchema);

/** How many sessions a page of them holds that does not say, and at most. */
export const DEFAULT_PAGE_SESSIONS = 250;
const MAX_PAGE_SESSIONS = 500;

export const sessionPageQuerySchema = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_PAGE_SESSIONS)
    .optional()
    .describe(`How many sessions at most; ${DEFAULT_PAGE_SESSIONS} if absent`),
  cursor: z.string().min(1).max(200).optional().describe('The `nextCursor` of the page before'),
});
export const sessionPageSchema = z.object({
  sessions: sessionListSchema,
  nextCursor: z.string().optional().describe('What the next page is asked for with; absent on the last page'),
});

export const qrSchema = z.object({
  qr: z.string().describe('The text to draw as a QR code for the phone to scan'),
  expiresAt: instantSchema,
});

export const createPairingCodeBodySchema = z.strictObject({
  phone: z
    .string()
    .transform((text) => text.replace(/^\+|[\s().-]/g, ''))
    .pipe(z.string().regex(/^[1-9][0-9]{6,14}$/, 'must be a phone number with its country code')),
});
export const pairingCodeSchema = z.object({ code: z.string(), expiresAt: instantSchema });

/** A phone number with its country code, or a WhatsApp id of a person or a group. */
export const recipientSchema = z
  .string()
  .regex(
    /^(\+?[1-9][0-9]{6,14}|[0-9]{5,20}(-[0-9]{5,20})?@(s\.whatsapp\.net|lid|g\.us))$/,
    'must be a phone number with its country code, or an id such as 15551234567@s.whatsapp.net',
  );

export const sendMessageBodySchema = z.strictObject({
  to: recipientSchema,
  text: z.string().min(1).max(65_536),
});
/** The id of a message, as its key has it: of its sender's choice. */
export const messageIdSchema = z.string().min(1).max(255);
export const sentMessageSchema = z.object({ messageId: z.string() });

export type Tenant = z.infer<typeof tenantSchema>;
export type ApiKeyView = z.infer<typeof apiKeySchema>;
export type CreateKeyBody = z.input<typeof createKeyBodySchema>;
export type CreatedKey = z.infer<typeof createdKeySchema>;
export type CreatedSession = z.infer<typeof createdSessionSchema>;
export type SessionPageQuery = z.infer<typeof sessionPageQuerySchema>;
export type SessionView = z.infer<typeof sessionSchema>;
export type Qr = z.infer<typeof qrSchema>;
export type PairingCode = z.infer<typeof pairingCodeSchema>;
export type SentMessage = z.infer<typeof sentMessageSchema>;
