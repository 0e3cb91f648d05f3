import { z } from 'zod';
import { type RestCall, sessionParamsSchema } from './definition.js';
import { instantSchema } from './fields.js';
import { FILES_BODY_LIMIT, fileTypeSchema, newFileSchema, uploadIdSchema } from './file-content.js';

/** How long an uploaded file can be sent, ms. WhatsApp keeps files for some 30 days, and recipients fetch them later. */
export const UPLOAD_LIFE_MS = 7 * 24 * 60 * 60 * 1000;

/** How many uploads a session may have at a time. */
export const MAX_UPLOADS = 1_000;

/** What kept a file from being fetched. */
export const FETCH_PROBLEMS = [
  'address-refused',
  'unresolvable',
  'unreachable',
  'timeout',
  'bad-answer',
  'http-status',
  'too-many-redirects',
] as const;

/** The errors of calls that take files. */
export const FILE_ERRORS = [
  'FILE_NOT_FETCHED',
  'FILE_UNREADABLE',
  'CONVERTER_MISSING',
  'MEDIA_TOO_LARGE',
  'UPLOAD_NOT_FOUND',
  'UPLOAD_FAILED',
  'TOO_MANY_UPLOADS',
] as const;

/** The errors of asking a session's worker. */
const WORKER_ERRORS = [
  'SESSION_NOT_FOUND',
  'SESSION_NOT_OPEN',
  'NO_WORKER',
  'NOT_SUPPORTED',
  'TOO_MANY_COMMANDS',
  'INBOX_FULL',
] as const;

const uploadBodySchema = z.strictObject({
  type: fileTypeSchema.describe('what the file is to be sent as'),
  file: newFileSchema,
});

export const uploadSchema = z.object({
  uploadId: uploadIdSchema,
  type: fileTypeSchema,
  mimetype: z.string().describe('of what was uploaded, which may have been converted'),
  bytes: z.number().int(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  seconds: z.number().int().optional(),
  expiresAt: instantSchema.describe('it can be sent until then'),
});

export type Upload = z.output<typeof uploadSchema>;

const uploadParamsSchema = sessionParamsSchema.extend({ uploadId: uploadIdSchema });

const EXAMPLE_ID = 'upl_AAAAAAAAAAAAAAAAAAAAAAAA';

/** Files that are uploaded once and sent many times. */
export const uploadCalls = {
  'upload-file': {
    route: 'POST /api/sessions/:id/uploads',
    access: 'messages:write',
    cost: 10,
    tag: 'messages',
    summary: 'Upload a file, to send it many times',
    description:
      'Takes JSON; or `multipart/form-data` with the part `upload` (JSON, without `file`) and then the part `file`; or ' +
      'the file itself, of any other content type, with its type in the query. The file is converted as its type ' +
      'needs, encrypted and uploaded to WhatsApp, see docs/sending.md.',
    params: sessionParamsSchema,
    query: z.object({ type: fileTypeSchema.optional().describe('if the body is the file itself') }),
    body: uploadBodySchema,
    bodyLimit: FILES_BODY_LIMIT,
    files: { part: 'upload', isRaw: true },
    answers: { 201: uploadSchema },
    errors: [...WORKER_ERRORS, ...FILE_ERRORS],
    example: { type: 'document', file: { base64: 'aGVsbG8=' } },
  },
  'get-upload': {
    route: 'GET /api/sessions/:id/uploads/:uploadId',
    access: 'messages:write',
    cost: 1,
    tag: 'messages',
    summary: 'Get what is known of an uploaded file',
    params: uploadParamsSchema,
    answers: { 200: uploadSchema },
    errors: ['SESSION_NOT_FOUND', 'UPLOAD_NOT_FOUND'],
    example: { uploadId: EXAMPLE_ID },
  },
  'delete-upload': {
    route: 'DELETE /api/sessions/:id/uploads/:uploadId',
    access: 'messages:write',
    cost: 1,
    tag: 'messages',
    summary: 'Forget an uploaded file',
    description: 'Messages that were sent with it keep it.',
    params: uploadParamsSchema,
    answers: { 204: z.null() },
    errors: ['SESSION_NOT_FOUND', 'UPLOAD_NOT_FOUND'],
    example: { uploadId: EXAMPLE_ID },
  },
} as const satisfies Record<string, RestCall>;
