import { z } from 'zod';
import { sessionIdSchema } from '../identifiers.js';
import { linkProgressSchema } from '../link-progress.js';
import { proxySchema, proxyUrlSchema } from '../proxy-url.js';
import {
  metadataChangeSchema,
  metadataSchema,
  sessionSettingsSchema,
  settingsChangeSchema,
  TAKES_EFFECT,
} from '../session-settings.js';
import { sessionStatusSchema } from '../session-status.js';
import { type CostedRequest, type RestCall, sessionParamsSchema } from './definition.js';
import { instantSchema, nameSchema } from './fields.js';
import { cursorSchema, nameFilterSchema, pageSchema } from './pages.js';

export const createSessionBodySchema = z.strictObject({
  id: sessionIdSchema.optional(),
  name: nameSchema.optional(),
  metadata: metadataSchema.optional().describe('What you want to note about the session'),
  settings: settingsChangeSchema.optional().describe('What is not named has its default'),
  proxy: proxyUrlSchema.optional().describe('The proxy of all connections of the session'),
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
  link: linkProgressSchema
    .optional()
    .describe('How far linking a phone has come: present until the session is linked and open'),
  lastStanzaAt: instantSchema
    .optional()
    .describe('When WhatsApp last delivered something to the session. Up to a minute behind'),
  lastMessageAt: instantSchema
    .optional()
    .describe('When WhatsApp last delivered a message to the session. Up to a minute behind'),
});
/** A session with everything that was set for it. */
export const sessionDetailsSchema = sessionSchema.extend({
  settings: sessionSettingsSchema,
  metadata: metadataSchema.describe('What was noted about the session'),
  proxy: proxySchema.optional().describe('The proxy of all connections of the session'),
});

/** A JSON merge patch of a session: what it does not name stays as it is, and null restores the default. */
export const changeSessionBodySchema = z.strictObject({
  name: nameSchema.nullish(),
  metadata: metadataChangeSchema.nullish().describe('Null for a key removes it, null for all removes all'),
  settings: settingsChangeSchema.nullish(),
  proxy: proxyUrlSchema
    .nullish()
    .describe('Replaces the proxy as a whole. Null: connections are made directly'),
});

const takesEffectSchema = z.enum(TAKES_EFFECT).optional();

export const changedSessionSchema = sessionDetailsSchema.extend({
  takesEffect: z
    .object({
      name: takesEffectSchema,
      metadata: takesEffectSchema,
      device: takesEffectSchema,
      history: takesEffectSchema,
      ignore: takesEffectSchema,
      online: takesEffectSchema,
      autoRead: takesEffectSchema,
      autoReadStatuses: takesEffectSchema,
      calls: takesEffectSchema,
      lists: takesEffectSchema,
      proxy: takesEffectSchema,
    })
    .describe('When each part that changed takes effect'),
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

/** Number of sessions in a page: the default and the maximum. */
export const DEFAULT_PAGE_SESSIONS = 250;
const MAX_PAGE_SESSIONS = 500;

/** What a list of sessions may be narrowed down by. */
const filterFields = {
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(sessionStatusSchema).min(1))
    .optional()
    .describe('Only those of these statuses, with commas between them'),
  name: nameFilterSchema,
  phone: z
    .string()
    .regex(/^\+?[1-9][0-9]{0,14}$/, 'must be a phone number with its country code')
    .transform((text) => text.replace('+', ''))
    .optional()
    .describe('Only those that are linked to this number'),
};

export const sessionPageQuerySchema = z.object({
  limit: z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(MAX_PAGE_SESSIONS)
    .optional()
    .describe(
      `How many sessions at most; ${DEFAULT_PAGE_SESSIONS} if absent. With a filter a page may have fewer, even none, ` +
        'while there is a next one',
    ),
  cursor: cursorSchema,
  ...filterFields,
});
export const sessionPageSchema = pageSchema(sessionSchema);

export type CreateSessionBody = z.infer<typeof createSessionBodySchema>;
export type CreatedSession = z.infer<typeof createdSessionSchema>;
export type SessionPageQuery = z.output<typeof sessionPageQuerySchema>;
export type SessionView = z.infer<typeof sessionSchema>;
export type SessionDetails = z.infer<typeof sessionDetailsSchema>;
export type SessionChange = z.output<typeof changeSessionBodySchema>;
export type ChangedSession = z.infer<typeof changedSessionSchema>;

/** How many sessions one unit of a list's cost pays for. */
const SESSIONS_PER_UNIT = 50;
/** How many sessions are read for a page with a filter, at most. */
export const FILTERED_SESSIONS = 1_000;

/** What a list of sessions costs, by how many it asks for: known before the query is checked. */
function costOfList({ query }: CostedRequest): number {
  const { limit = DEFAULT_PAGE_SESSIONS, ...others } = query as Partial<Record<string, unknown>>;
  if (Object.keys(filterFields).some((name) => others[name] !== undefined)) {
    return FILTERED_SESSIONS / SESSIONS_PER_UNIT;
  }
  const asked = Number(limit);
  return Math.max(2, Math.ceil((asked > 0 ? asked : DEFAULT_PAGE_SESSIONS) / SESSIONS_PER_UNIT));
}

/** A tenant's sessions. */
export const sessionCalls = {
  'create-session': {
    route: 'POST /api/sessions',
    access: 'sessions:write',
    cost: 20,
    tag: 'sessions',
    summary: 'Create a session',
    description:
      'A worker opens it within seconds and shows a QR code to link a phone with. ' +
      'A key with a list of sessions creates those in its list, by their ids.',
    body: createSessionBodySchema.nullish(),
    answers: { 201: createdSessionSchema },
    errors: ['SESSION_EXISTS', 'TOO_MANY_SESSIONS', 'OUTCOME_UNKNOWN', 'NOT_SUPPORTED'],
    example: { id: 'shop-1', name: 'Shop' },
  },
  'list-sessions': {
    route: 'GET /api/sessions',
    access: 'sessions:read',
    cost: {
      of: costOfList,
      text: `1 for each ${SESSIONS_PER_UNIT} sessions asked for, at least 2; with a filter ${FILTERED_SESSIONS / SESSIONS_PER_UNIT}`,
    },
    tag: 'sessions',
    summary: 'List the sessions',
    description:
      'Oldest first, page by page. The header `Link` leads to the next page. `status=open,connecting` lists the ' +
      'sessions of these two statuses.',
    query: sessionPageQuerySchema,
    answers: { 200: sessionPageSchema },
    errors: [],
  },
  'get-session': {
    route: 'GET /api/sessions/:id',
    access: 'sessions:read',
    cost: 1,
    tag: 'sessions',
    summary: 'Get a session',
    params: sessionParamsSchema,
    answers: { 200: sessionDetailsSchema },
    errors: ['SESSION_NOT_FOUND'],
  },
  'change-session': {
    route: 'PATCH /api/sessions/:id',
    access: 'sessions:write',
    cost: 10,
    tag: 'sessions',
    summary: 'Change the name, metadata, settings or proxy of a session',
    description:
      'A JSON merge patch (RFC 7396). `takesEffect` says of each part that changed when it takes effect: at once, ' +
      'with the next connection, or when a phone is linked the next time. An open session stays open.',
    params: sessionParamsSchema,
    body: changeSessionBodySchema,
    answers: { 200: changedSessionSchema },
    errors: ['SESSION_NOT_FOUND', 'NOT_SUPPORTED'],
    example: { settings: { online: true } },
  },
  'restart-session': {
    route: 'POST /api/sessions/:id/restart',
    access: 'sessions:write',
    cost: 10,
    tag: 'sessions',
    summary: 'Open a session again',
    description:
      'For a session that is `closed`, `logged_out` or `failed`; another one is left as it is. ' +
      'Where its keys are gone it shows a QR code again.',
    params: sessionParamsSchema,
    answers: { 202: createdSessionSchema },
    errors: ['SESSION_NOT_FOUND'],
  },
  'remove-session': {
    route: 'DELETE /api/sessions/:id',
    access: 'sessions:write',
    cost: 10,
    tag: 'sessions',
    summary: 'Remove a session',
    description:
      'Unlinks it from the phone and wipes all that is stored of it: 204. A linked session that is not open is ' +
      'connected once to be unlinked; while that goes on the answer is 202. 200 says that it is removed and the ' +
      'phone may go on listing a linked device. With `force=true` it is removed at once, without unlinking.',
    params: sessionParamsSchema,
    query: z.strictObject({ force: z.enum(['true', 'false']).optional() }),
    answers: { 200: sessionRemovalSchema, 202: sessionRemovalSchema, 204: z.null() },
    errors: ['SESSION_NOT_FOUND', 'NO_WORKER', 'OUTCOME_UNKNOWN'],
    isAudited: true,
  },
} as const satisfies Record<string, RestCall>;
