import { z } from 'zod';
import { personSchema } from './whatsapp-ids.js';

/** WhatsApp's own bounds, where they are known; else ours, which no app of WhatsApp reaches. */
export const MESSAGE_LIMITS = {
  textCharacters: 65_536,
  mentions: 1_024,
  thumbnailBytes: 32 * 1024,
  linkCharacters: 2_048,
  previewTitleCharacters: 300,
  previewDescriptionCharacters: 1_000,
  contacts: 100,
  vCardCharacters: 16_384,
  pollOptions: 12,
  pollQuestionCharacters: 255,
  pollOptionCharacters: 100,
} as const;

export const mentionsSchema = z
  .array(personSchema)
  .min(1)
  .max(MESSAGE_LIMITS.mentions)
  .describe('people who are notified; the text has `@` and the number or LID of each, without its server');
