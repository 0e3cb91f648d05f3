import { z } from 'zod';
import { internalMessageCommand, messageCommand, messageIdSchema, sessionCommand } from './definition.js';
import { FILES_BODY_LIMIT, fileSourceSchema, sentFileSchema } from './file-content.js';
import { FILE_ERRORS } from './uploads.js';
import { personSchema } from './whatsapp-ids.js';

/** How many people see one status. It is encrypted for each of their devices. */
export const MAX_STATUS_RECIPIENTS = 1_000;

/** A status takes longer than a message: it goes to up to a thousand people at a time. */
const DEADLINE_MS = 45_000;

/** How many statuses one call marks as viewed. */
const MAX_VIEWED = 100;

/** The fonts of WhatsApp, by its own numbers for them. */
export const STATUS_FONTS = {
  system: 0,
  'system-text': 1,
  'fb-script': 2,
  'system-bold': 6,
  'morning-breeze': 7,
  calistoga: 8,
  'exo-2': 9,
  'courier-prime': 10,
} as const;

const colourSchema = z
  .string()
  .regex(/^#[0-9A-Fa-f]{6}$/, 'must be a colour such as #1E6E4F')
  .describe('red, green and blue, such as `#1E6E4F`');

const textStatusSchema = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1).max(700),
  backgroundColor: colourSchema.optional(),
  font: z.enum(Object.keys(STATUS_FONTS) as [keyof typeof STATUS_FONTS]).optional(),
});

export type TextStatus = z.output<typeof textStatusSchema>;

/** The fields of each type of status with a file, besides `type` and `file`. */
const caption = { caption: z.string().min(1).max(1_024).optional() };
const background = { backgroundColor: colourSchema.optional() };

/** The types of statuses with a file. */
const FILE_STATUS_TYPES: ReadonlySet<unknown> = new Set(['image', 'video', 'voice']);

/** What a status shows, by `type`. */
export const statusContentSchema = z.discriminatedUnion('type', [
  textStatusSchema,
  z.strictObject({ type: z.literal('image'), file: fileSourceSchema, ...caption }),
  z.strictObject({ type: z.literal('video'), file: fileSourceSchema, ...caption }),
  z.strictObject({ type: z.literal('voice'), file: fileSourceSchema, ...background }),
]);

export type StatusContent = z.output<typeof statusContentSchema>;
/** One with a file, as clients write it. */
export type FileStatus = Exclude<StatusContent, TextStatus>;

/** A status with a file, as it goes to a worker: the file is uploaded. */
export const sentStatusSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('image'), file: sentFileSchema, ...caption }),
  z.object({ type: z.literal('video'), file: sentFileSchema, ...caption }),
  z.object({ type: z.literal('voice'), file: sentFileSchema, ...background }),
]);

export type SentStatus = z.output<typeof sentStatusSchema>;

const recipientsSchema = z
  .array(personSchema)
  .min(1)
  .max(MAX_STATUS_RECIPIENTS)
  .describe('who sees it, besides the devices of the account');

const postedSchema = z.object({
  messageId: z.string(),
  notOnWhatsApp: z.array(z.string()).describe('those of the recipients that WhatsApp does not know'),
});

const execution = { deadlineMs: DEADLINE_MS };

const common = { access: 'messages:write', tag: 'messages' } as const;

const postStatus = messageCommand({
  ...common,
  route: 'POST /api/sessions/:id/statuses',
  cost: 50,
  summary: 'Post a status',
  description:
    'Answers when WhatsApp has acknowledged it. People see it if they have saved the number of the account. A file may ' +
    'come in the request, as `multipart/form-data`: the part `status` (JSON, with `content.file` left out) and then ' +
    'the part `file`.',
  body: z.strictObject({ content: statusContentSchema, recipients: recipientsSchema }),
  bodyLimit: FILES_BODY_LIMIT,
  files: { part: 'status', of: 'content' },
  reply: postedSchema,
  errors: ['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED', ...FILE_ERRORS],
  example: { content: { type: 'text', text: 'hi' }, recipients: ['15550001001'] },
  kindOf: ({ content }) => (showsFile(content) ? 'post-file-status' : 'post-status'),
  execution,
});

function showsFile(content: unknown): boolean {
  return (
    typeof content === 'object' &&
    content !== null &&
    'type' in content &&
    FILE_STATUS_TYPES.has(content.type)
  );
}

/** Statuses: what people see for 24 hours beside the account's name. */
export const statusCommands = {
  'post-status': {
    ...postStatus,
    /** What workers of all releases know. A status with a file goes as `post-file-status`. */
    fields: postStatus.fields.extend({ content: textStatusSchema }),
  },
  /** A status with a file that an edge has uploaded. */
  'post-file-status': internalMessageCommand({
    fields: { content: sentStatusSchema, recipients: recipientsSchema },
    reply: postedSchema,
    execution,
  }),
  'delete-status': messageCommand({
    ...common,
    route: 'DELETE /api/sessions/:id/statuses/:target',
    cost: 50,
    summary: 'Delete a status for everyone',
    description: 'One that was posted through this API in the last seven days.',
    params: { target: messageIdSchema.describe('the id of the status') },
    reply: z.object({ messageId: z.string() }),
    errors: ['MESSAGE_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { target: 'M' },
    execution,
  }),
  'view-statuses': sessionCommand({
    ...common,
    route: 'POST /api/sessions/:id/statuses/viewed',
    cost: 2,
    summary: 'Mark statuses of others as viewed',
    description:
      'Shows their authors that the account has seen them, unless its privacy forbids it. WhatsApp does not confirm it.',
    body: z.strictObject({
      statuses: z
        .array(
          z.strictObject({
            messageId: messageIdSchema,
            sender: personSchema.optional().describe('of a status that the session does not know by its id'),
          }),
        )
        .min(1)
        .max(MAX_VIEWED),
    }),
    reply: z.object({}),
    errors: ['MESSAGE_NOT_FOUND', 'RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { statuses: [{ messageId: 'M', sender: '15550001001' }] },
  }),
};
