import { z } from 'zod';
import { sessionIdSchema } from '../identifiers.js';

/** The fields that every payload carries. */
export const envelope = {
  eventId: z
    .string()
    .describe(
      'names the event; opaque. Deduplicate by it, and keep the last one: given as `since` it says where to go on',
    ),
  sessionId: sessionIdSchema.describe('the session it happened in'),
  timestamp: z.iso.datetime().describe('when it was published; UTC, ISO 8601'),
  omitted: z
    .object({
      reason: z.literal('too-large').describe('why something is missing'),
      bytes: z.number().int().describe('how large the payload would be'),
      limit: z.number().int().describe('how large it may be'),
      fields: z
        .array(z.string())
        .describe('which fields were cut, such as `messages.0.message.conversation`'),
    })
    .meta({ id: 'Omitted', title: 'What an event leaves out' })
    .optional()
    .describe('says that long texts and lists were cut, since the payload was too large'),
};

/** An id of WhatsApp's: a person, a device of a person, a group or a broadcast list. */
export const jid = z.string().min(1);

/** A 64-bit integer: a number, or a decimal string where a number would not be exact. */
export const int64 = z.union([z.number(), z.string().regex(/^-?\d+$/)]);

/** What WhatsApp knows beyond what is described field by field: plain JSON, bytes in base64. */
export const whatsAppObject = z.record(z.string(), z.unknown());

/** Marks the current state, sent to a new subscriber, rather than a change. */
export const snapshot = z
  .literal(true)
  .optional()
  .describe('the current state, sent to a new subscriber, rather than a change');

/** What marks chats, contacts and messages of the history, and which part of it they are. */
export const history = {
  history: z
    .literal(true)
    .optional()
    .describe('comes from the history that the phone hands over, rather than from just now'),
  sync: z
    .object({
      type: z
        .number()
        .int()
        .optional()
        .describe(
          'kind of history: 0 first part, 2 complete, 3 recent, 4 names that people gave themselves, 6 asked for',
        ),
      progress: z.number().optional().describe('how much has come, in percent'),
      chunk: z.number().int().optional().describe('number of the part'),
      isLatest: z.boolean().optional().describe('whether this is the first history of this link'),
      requestId: z.string().optional().describe('the request that asked for it'),
    })
    .meta({ id: 'HistoryPart', title: 'A part of the history' })
    .optional()
    .describe('which part of the history it is, with `history` only'),
};
