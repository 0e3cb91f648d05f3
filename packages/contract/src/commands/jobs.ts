import { z } from 'zod';
import { errorDescriptionSchema } from '../errors.js';
import { sessionIdSchema } from '../identifiers.js';
import { checkedList, smallRecord } from './checked-list.js';
import { type RestCall, sessionParamsSchema } from './definition.js';
import { instantSchema, nameSchema } from './fields.js';
import { hasFiles } from './message-content.js';
import { sendMessageBodySchema } from './messages.js';
import { destinationSchema } from './whatsapp-ids.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The bounds of a job. */
export const JOB_LIMITS = {
  messages: 1_000,
  /** Of a recipient. */
  variables: 50,
  /** Of a request, as JSON. */
  bodyBytes: 2 * 1024 * 1024,
  messagesPerMinute: 600,
  /** How far ahead a job may begin. */
  aheadMs: 31 * DAY_MS,
  /** How long after its beginning a job may go on: at most, and if the request does not say. */
  lifeMs: { max: 7 * DAY_MS, byDefault: DAY_MS },
  /** How long the results of an ended job are kept. */
  keptMs: 7 * DAY_MS,
} as const;

/** A job's id, generated. */
export const jobIdSchema = z.string().regex(/^job_[0-9a-f]{20}$/, 'is not a job id');

/** A message of a job, as `POST /api/sessions/:id/messages` takes it. */
export const jobMessageSchema = sendMessageBodySchema;

export type JobMessage = z.output<typeof jobMessageSchema>;

const { to: _to, ...templateFields } = sendMessageBodySchema.shape;

/** A message for several recipients, without one. */
const templateSchema = z.strictObject(templateFields);

const jobRecipientSchema = z.strictObject({
  to: destinationSchema,
  variables: smallRecord(
    z.string().regex(/^\w{1,64}$/, 'must be 1 to 64 letters, digits or "_"'),
    z.string().max(1_024),
    JOB_LIMITS.variables,
  )
    .optional()
    .describe('what stands for `{{name}}` in the texts of `message`, by name'),
});

export type JobRecipient = z.output<typeof jobRecipientSchema>;

/** Files of a job are fetched, or were uploaded, when a message is sent: they are not stored with it. */
function storesNoFile({ content }: Pick<JobMessage, 'content'>): boolean {
  if (content === undefined || !hasFiles(content)) return true;
  const files = content.type === 'album' ? content.items.map(({ file }) => file) : [content.file];
  return files.every((file) => 'url' in file || 'uploadId' in file);
}

const STORES_NO_FILE = { path: ['content', 'file'], message: 'must have a url or an uploadId' };

export const createJobBodySchema = z
  .strictObject({
    messages: checkedList(jobMessageSchema.refine(storesNoFile, STORES_NO_FILE), JOB_LIMITS.messages)
      .optional()
      .describe('what is sent, one after another, in this order'),
    message: templateSchema
      .refine(storesNoFile, STORES_NO_FILE)
      .optional()
      .describe('in place of `messages`: what each of the `recipients` gets, with its variables'),
    recipients: checkedList(jobRecipientSchema, JOB_LIMITS.messages).optional(),
    name: nameSchema.optional(),
    at: instantSchema
      .optional()
      .describe(
        'when the first message is sent, at most 31 days ahead; at once by default, or if it is past',
      ),
    expiresAt: instantSchema
      .optional()
      .describe('no message is sent after it: at most 7 days after the beginning, by default 24 hours'),
    pace: z
      .number()
      .int()
      .min(1)
      .max(JOB_LIMITS.messagesPerMinute)
      .optional()
      .describe('messages per minute at most; by default as fast as WhatsApp takes them'),
    onError: z
      .enum(['continue', 'stop'])
      .optional()
      .describe('whether the job goes on after a message that failed; `continue` by default'),
  })
  .refine(({ messages, message }) => (messages === undefined) !== (message === undefined), {
    path: ['messages'],
    message: 'exactly one of messages and message is needed',
  })
  .refine(({ message, recipients }) => (message === undefined) === (recipients === undefined), {
    path: ['recipients'],
    message: 'message and recipients belong together',
  })
  .refine(
    ({ at, expiresAt }) =>
      at === undefined || expiresAt === undefined || Date.parse(expiresAt) > Date.parse(at),
    { path: ['expiresAt'], message: 'must be after the beginning' },
  );

export type CreateJobBody = z.output<typeof createJobBodySchema>;

/** `scheduled`: it has not begun. `done`: every message has a result. */
export const JOB_STATES = ['scheduled', 'running', 'paused', 'done', 'cancelled', 'failed'] as const;
export type JobState = (typeof JOB_STATES)[number];

const countSchema = z.number().int();

export const jobSchema = z.object({
  id: jobIdSchema,
  session: sessionIdSchema,
  name: nameSchema.optional(),
  state: z
    .enum(JOB_STATES)
    .describe(
      '`scheduled`: it has not begun. `done`: every message has a result. `failed`: it stopped before, see `error`',
    ),
  onError: z.enum(['continue', 'stop']),
  pace: z.number().int().optional().describe('messages per minute at most'),
  createdAt: instantSchema,
  at: instantSchema.describe('when it was to begin'),
  expiresAt: instantSchema.describe('no message is sent after it'),
  startedAt: instantSchema.optional(),
  endedAt: instantSchema.optional(),
  nextRunAt: instantSchema.optional().describe('when it goes on, if it waits'),
  counts: z.object({
    total: countSchema,
    waiting: countSchema.describe('not sent yet'),
    sending: countSchema.describe('being sent now: 0 or 1. It can be 1 shortly after the job was cancelled'),
    sent: countSchema,
    failed: countSchema,
    unknown: countSchema.describe('may or may not have been sent, after several tries'),
    notSent: countSchema.describe('never sent, since the job was cancelled or failed'),
  }),
  progress: z.number().describe('the share of messages that have a result, from 0 to 1'),
  waitsFor: errorDescriptionSchema
    .optional()
    .describe('why it waits before it tries the next message again, such as `SESSION_NOT_OPEN`'),
  error: errorDescriptionSchema.optional().describe('why it failed'),
});

export type JobView = z.output<typeof jobSchema>;

/** What became of a message of a job. */
export const JOB_MESSAGE_STATES = ['waiting', 'sending', 'sent', 'failed', 'unknown', 'not-sent'] as const;
export type JobMessageState = (typeof JOB_MESSAGE_STATES)[number];

export const jobMessageResultSchema = z.object({
  index: z.number().int().describe('its place in the request, from 0'),
  to: z.string().describe('the phone number or the id that it goes to'),
  messageId: z.string().describe('the id that it has, or will have, at WhatsApp and in events'),
  state: z
    .enum(JOB_MESSAGE_STATES)
    .describe(
      '`sent`: WhatsApp has acknowledged it. `unknown`: it may have been sent. `not-sent`: the job ended before',
    ),
  at: instantSchema.optional().describe('when that was known'),
  error: errorDescriptionSchema.optional().describe('why it was not sent'),
});

export type JobMessageResult = z.output<typeof jobMessageResultSchema>;

const jobParamsSchema = z.object({ job: jobIdSchema });

const limitSchema = (byDefault: number, max: number) =>
  z.coerce
    .number<number | string>()
    .int()
    .min(1)
    .max(max)
    .default(byDefault)
    .describe(`how many items at most; ${byDefault} by default`);
const cursorSchema = z.string().min(1).max(100).optional().describe('The `nextCursor` of the page before');

function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().optional().describe('absent on the last page'),
  });
}

/** Messages that are sent later, or many of them one after another. */
export const jobCalls = {
  'create-job': {
    route: 'POST /api/sessions/:id/jobs',
    access: 'messages:write',
    cost: 50,
    tag: 'jobs',
    summary: 'Send many messages, or send them later',
    description:
      'Answers when the job is stored. Its messages are sent one after another, each once, though edges and workers ' +
      'die. Each costs what it would cost alone when it is sent. See docs/jobs.md.',
    params: sessionParamsSchema,
    body: createJobBodySchema,
    bodyLimit: JOB_LIMITS.bodyBytes,
    answers: { 202: jobSchema },
    errors: ['SESSION_NOT_FOUND', 'TOO_MANY_JOBS', 'OUTCOME_UNKNOWN'],
    example: {
      name: 'Reminders',
      messages: [
        { to: '15550001001', text: 'See you at ten' },
        { to: '15550001002', text: 'See you at noon' },
      ],
      pace: 20,
    },
  },
  'list-jobs': {
    route: 'GET /api/jobs',
    access: 'events:read',
    cost: 10,
    tag: 'jobs',
    summary: 'List the jobs',
    description: 'The newest first: those that have not ended, and those that ended in the last seven days.',
    query: z.object({
      session: sessionIdSchema.optional(),
      state: z.enum(JOB_STATES).optional(),
      limit: limitSchema(50, 200),
      cursor: cursorSchema,
    }),
    answers: { 200: pageOf(jobSchema) },
    errors: [],
  },
  'get-job': {
    route: 'GET /api/jobs/:job',
    access: 'events:read',
    cost: 1,
    tag: 'jobs',
    summary: 'Get a job',
    params: jobParamsSchema,
    answers: { 200: jobSchema },
    errors: ['JOB_NOT_FOUND'],
    example: { job: 'job_0123456789abcdef0123' },
  },
  'list-job-messages': {
    route: 'GET /api/jobs/:job/messages',
    access: 'events:read',
    cost: 5,
    tag: 'jobs',
    summary: 'List the messages of a job, and what became of each',
    params: jobParamsSchema,
    query: z.object({
      state: z.enum(JOB_MESSAGE_STATES).optional(),
      limit: limitSchema(100, 1_000),
      cursor: cursorSchema,
    }),
    answers: { 200: pageOf(jobMessageResultSchema) },
    errors: ['JOB_NOT_FOUND'],
    example: { job: 'job_0123456789abcdef0123' },
  },
  'cancel-job': {
    route: 'DELETE /api/jobs/:job',
    access: 'messages:write',
    cost: 5,
    tag: 'jobs',
    summary: 'Cancel a job',
    description:
      'What was sent stays sent. The message that is being sent now is not stopped: `counts.sending` says whether ' +
      'there is one. A job that has ended stays as it is.',
    params: jobParamsSchema,
    answers: { 200: jobSchema },
    errors: ['JOB_NOT_FOUND'],
    example: { job: 'job_0123456789abcdef0123' },
  },
  'pause-job': {
    route: 'POST /api/jobs/:job/pause',
    access: 'messages:write',
    cost: 5,
    tag: 'jobs',
    summary: 'Pause a job',
    description: 'Its time goes on: after `expiresAt` it fails.',
    params: jobParamsSchema,
    answers: { 200: jobSchema },
    errors: ['JOB_NOT_FOUND', 'JOB_ENDED'],
    example: { job: 'job_0123456789abcdef0123' },
  },
  'resume-job': {
    route: 'POST /api/jobs/:job/resume',
    access: 'messages:write',
    cost: 5,
    tag: 'jobs',
    summary: 'Let a paused job go on',
    description: 'A job that waits before it tries again goes on at once.',
    params: jobParamsSchema,
    answers: { 200: jobSchema },
    errors: ['JOB_NOT_FOUND', 'JOB_ENDED'],
    example: { job: 'job_0123456789abcdef0123' },
  },
} as const satisfies Record<string, RestCall>;
