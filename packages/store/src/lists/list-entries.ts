import { z } from 'zod';

const ids = {
  /** Digits, country code first. Absent if not known, and for a group. */
  phone: z.string().optional(),
  /** The LID as WhatsApp writes it. Absent if not known, and for a group. */
  lid: z.string().optional(),
};

/** A chat of a list, as it is stored. A field that nothing is known of is absent. */
export const chatEntrySchema = z.object({
  ...ids,
  /** The subject of a group, or what the phone calls the chat. */
  name: z.string().optional(),
  unread: z.number().optional(),
  isMarkedUnread: z.boolean().optional(),
  archived: z.boolean().optional(),
  pinned: z.boolean().optional(),
  /** Until when it is muted, ms since 1970. 0: not, -1: without end. */
  mutedUntil: z.number().optional(),
  readOnly: z.boolean().optional(),
  locked: z.boolean().optional(),
  /** After how many seconds messages disappear; 0: never. */
  disappearing: z.number().optional(),
  labels: z.array(z.string()).optional(),
  /** When something last happened in it, seconds since 1970. */
  at: z.number().optional(),
  /** The last message whose id is known. */
  last: z.object({ id: z.string(), at: z.number(), fromMe: z.boolean() }).optional(),
});

/** A contact of a list, as it is stored. */
export const contactEntrySchema = z.object({
  ...ids,
  /** As saved on the phone. Absent if the person is not saved. */
  name: z.string().optional(),
  /** The name that the person gave themselves. */
  pushName: z.string().optional(),
  /** The verified name of a business. */
  businessName: z.string().optional(),
  username: z.string().optional(),
  blocked: z.boolean().optional(),
});

export type ChatEntry = z.output<typeof chatEntrySchema>;
export type ContactEntry = z.output<typeof contactEntrySchema>;
