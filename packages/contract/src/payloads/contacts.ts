import { z } from 'zod';
import { envelope, history, jid } from './fields.js';

/** What is known of a person; also the first fields of a group's participant. */
export const personFields = {
  lid: jid.nullish().describe("the person's LID, which hides the phone number"),
  phoneNumber: jid.nullish().describe("the person's id by phone number"),
  name: z.string().nullish().describe('as saved on the phone; null: it was deleted there'),
  notify: z.string().nullish().describe('the name that the person gave themselves'),
  username: z.string().nullish(),
  verifiedName: z.string().nullish().describe('the verified name of a business'),
  imgUrl: z.string().nullish().describe('picture: `changed`, `removed`, or its address'),
  status: z.string().nullish().describe('what the person says about themselves'),
};

export const contactSchema = z
  .object({
    id: jid.describe('the id under which the person was met: LID or phone number; or a group'),
    ...personFields,
    blocked: z.boolean().optional().describe('whether this account has blocked the person'),
  })
  .meta({ id: 'Contact', title: 'Contact' });

export const contactsUpsertSchema = z.object({
  ...envelope,
  contacts: z.array(contactSchema).min(1),
  ...history,
});
export const contactsUpdateSchema = z.object({
  ...envelope,
  contacts: z.array(contactSchema).min(1),
  ...history,
});
