import { z } from 'zod';
import { sessionIdSchema } from '../identifiers.js';
import { sessionStatusSchema } from '../session-status.js';
import { type RestCall, sessionParamsSchema } from './definition.js';
import { instantSchema } from './fields.js';
import { createSessionBodySchema } from './sessions.js';

/** The largest session, as base64 in JSON. */
export const MOVING_BODY_LIMIT = 48 * 1024 * 1024;

const passphraseSchema = z.string().min(12).max(1024);
const keySchema = z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits');

const common = {
  ...createSessionBodySchema.shape,
  keepAppState: z
    .boolean()
    .optional()
    .describe(
      'Whether to go on from the synchronised state that is given. Without it, the chats and contacts are fetched ' +
        'again and published as events. Default: false',
    ),
};

/** The programs whose stored sessions can be imported. */
export const IMPORT_SOURCES = ['baileys', 'evolution', 'waha'] as const;

export const importSessionBodySchema = z.discriminatedUnion('from', [
  z.strictObject({
    ...common,
    from: z.enum(IMPORT_SOURCES).describe('The program that has stored the session'),
    files: z
      .record(z.string().min(1).max(512), z.unknown())
      .describe('The content of its files by their names: texts, or JSON'),
  }),
  z.strictObject({
    ...common,
    from: z.literal('wafleet'),
    bundle: z.string().min(1).describe('What an export gave, in base64'),
    passphrase: passphraseSchema.optional(),
    key: keySchema.optional().describe('In place of a passphrase'),
  }),
]);
export const importedSessionSchema = z.object({
  id: sessionIdSchema,
  status: sessionStatusSchema,
  phone: z.string().describe("The account's number, digits only"),
  notes: z
    .record(z.string(), z.number().int())
    .describe('What was not taken over as it was stored, by kind, and how often; see moving-in.md'),
});

export const exportSessionBodySchema = z.strictObject({
  passphrase: passphraseSchema.optional(),
  key: keySchema.optional().describe('In place of a passphrase'),
});
export const exportedSessionSchema = z.object({
  bundle: z.string().describe('The sealed session, in base64'),
  device: z.string().describe('The number of the account and its device: `<number>:<device>`'),
  createdAt: instantSchema,
});

export type ImportSessionBody = z.infer<typeof importSessionBodySchema>;
export type ExportSessionBody = z.infer<typeof exportSessionBodySchema>;
export type ImportedSessionView = z.infer<typeof importedSessionSchema>;
export type ExportedSessionView = z.infer<typeof exportedSessionSchema>;

/** Linked sessions that come from elsewhere, or go there. */
export const movingCalls = {
  'import-session': {
    route: 'POST /api/sessions/import',
    access: 'sessions:write',
    cost: 1_000,
    tag: 'moving',
    summary: 'Create a session with the credentials of one that is linked already',
    description:
      'The session is checked, and created together with its credentials, or not at all. No phone has to be linked. ' +
      'Stop the program that runs it now, and never start it again: two programs with one session disconnect each ' +
      'other. Name, metadata, settings and proxy are set as for a new session, from the first connection on. The answer ' +
      'says what was repaired or left out. See moving-in.md.',
    body: importSessionBodySchema,
    bodyLimit: MOVING_BODY_LIMIT,
    answers: { 201: importedSessionSchema },
    errors: [
      ...(['BUNDLE_INVALID', 'BUNDLE_PASSPHRASE_WRONG', 'ACCOUNT_IN_USE'] as const),
      ...(['SESSION_EXISTS', 'TOO_MANY_SESSIONS', 'OUTCOME_UNKNOWN', 'NOT_SUPPORTED'] as const),
    ],
    isSecret: true,
    example: {
      from: 'baileys',
      files: { 'creds.json': '{"noiseKey":…}', 'pre-key-1.json': '{"private":…}' },
    },
    isAudited: true,
  },
  'export-session': {
    route: 'POST /api/sessions/:id/export',
    access: 'sessions:export',
    cost: 500,
    tag: 'moving',
    summary: 'Hand the credentials of a session out, sealed, and close it',
    description:
      'Closes the session, which then has the reason `exported`, and answers with a bundle that only the passphrase, ' +
      'or the key, opens: a program that has both is logged in as the account. A restart opens the session again; do that ' +
      'only if the bundle was not imported anywhere.',
    params: sessionParamsSchema,
    body: exportSessionBodySchema,
    answers: { 200: exportedSessionSchema },
    errors: ['SESSION_NOT_FOUND', 'NOT_LINKED', 'SESSION_TOO_LARGE', 'NO_WORKER'],
    isSecret: true,
    example: { passphrase: 'correct horse battery staple' },
    isAudited: true,
  },
} as const satisfies Record<string, RestCall>;
