import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { instantSchema } from './fields.js';
import { cursorSchema, pageSchema } from './pages.js';
import { personSchema } from './whatsapp-ids.js';

/** How many numbers one call can check. */
export const MAX_CHECKED_NUMBERS = 100;
/** How many of the blocked people a page lists. */
export const PAGE_OF_BLOCKED = 500;

const phoneField = z
  .string()
  .nullable()
  .describe('The phone number with its country code; null if not known');
const lidField = z.string().nullable().describe('The LID, such as `106825993066104@lid`; null if not known');

/** The two ids of a person. */
export const contactIdsSchema = z.object({ phone: phoneField, lid: lidField });

export type ContactIds = z.output<typeof contactIdsSchema>;

const checkedNumberSchema = z
  .string()
  .max(40)
  .transform((text) => text.replace(/^\+|[\s().-]/g, ''))
  .pipe(z.string().regex(/^[1-9][0-9]{6,14}$/, 'must be a phone number with its country code'));

export const checkNumbersBodySchema = z.strictObject({
  numbers: z.array(checkedNumberSchema).min(1).max(MAX_CHECKED_NUMBERS),
});
export const checkedNumbersSchema = z.object({
  items: z.array(
    z.object({
      number: z.string().describe('As asked for, digits alone'),
      isOnWhatsApp: z.boolean(),
      phone: phoneField.describe(
        'The number that WhatsApp knows the person by: another one than was asked for in a few countries',
      ),
      lid: lidField,
    }),
  ),
});

const nameSchema = z.string().trim().min(1).max(100);

export const saveContactBodySchema = z.strictObject({
  name: nameSchema.describe('The full name'),
  firstName: nameSchema.optional().describe('Default: the first word of the name'),
  savesOnPhone: z
    .boolean()
    .default(true)
    .describe('Whether it is saved in the address book of the phone too, not in WhatsApp alone'),
});

const named = { contact: personSchema };
const ERRORS = ['RECIPIENT_NOT_FOUND', 'WHATSAPP_REFUSED'] as const;
const example = { contact: '15550001001' };

/** Looking people up, saving and blocking them. */
export const contactCommands = {
  'check-numbers': sessionCommand({
    route: 'POST /api/sessions/:id/contacts/check',
    access: 'contacts:read',
    cost: 30,
    tag: 'contacts',
    summary: 'Check which phone numbers are on WhatsApp',
    description:
      `Up to ${MAX_CHECKED_NUMBERS} numbers, answered in the order of the request. WhatsApp restricts accounts that ` +
      'check many numbers of strangers.',
    body: checkNumbersBodySchema,
    reply: checkedNumbersSchema,
    errors: ['WHATSAPP_REFUSED'],
    example: { numbers: ['15550001001'] },
  }),
  'get-contact': sessionCommand({
    route: 'GET /api/sessions/:id/contacts/:contact',
    access: 'contacts:read',
    cost: 3,
    tag: 'contacts',
    summary: 'Get both ids of a person, phone number and LID',
    description:
      'For a number WhatsApp is asked unless the session knows the pair. The number of a LID is known only once ' +
      'WhatsApp has named it; otherwise `phone` is null.',
    params: named,
    reply: contactIdsSchema,
    errors: ERRORS,
    example,
  }),
  'get-contact-picture': sessionCommand({
    route: 'GET /api/sessions/:id/contacts/:contact/picture',
    access: 'contacts:read',
    cost: 5,
    tag: 'contacts',
    summary: 'Get the address of a person’s profile picture',
    description:
      'The address works for some days, without credentials. It is null if the account sees no picture.',
    params: named,
    query: z.strictObject({
      size: z.enum(['preview', 'full']).default('full').describe('96 pixels wide, or as large as it is'),
    }),
    reply: z.object({ url: z.string().nullable() }),
    errors: ERRORS,
    example,
  }),
  'get-contact-about': sessionCommand({
    route: 'GET /api/sessions/:id/contacts/:contact/about',
    access: 'contacts:read',
    cost: 5,
    tag: 'contacts',
    summary: 'Get the about text of a person',
    params: named,
    reply: z.object({
      about: z.string().nullable().describe('null if there is none, or the account may not see it'),
      setAt: instantSchema.optional().describe('When it was set, if WhatsApp says it'),
    }),
    errors: ERRORS,
    example,
  }),
  'save-contact': sessionCommand({
    route: 'PUT /api/sessions/:id/contacts/:contact',
    access: 'contacts:write',
    cost: 10,
    tag: 'contacts',
    summary: 'Save a person as a contact, or rename one',
    description: 'Saved under the phone number, or under the LID if the number is not known.',
    params: named,
    body: saveContactBodySchema,
    reply: z.object({}),
    errors: ERRORS,
    example: { ...example, name: 'Ada Lovelace', savesOnPhone: true },
  }),
  'remove-contact': sessionCommand({
    route: 'DELETE /api/sessions/:id/contacts/:contact',
    access: 'contacts:write',
    cost: 10,
    tag: 'contacts',
    summary: 'Delete a saved contact',
    description: 'The chat stays. Succeeds also if the person is not saved.',
    params: named,
    reply: z.object({}),
    errors: ERRORS,
    example,
  }),
  'list-blocked': sessionCommand({
    route: 'GET /api/sessions/:id/blocked',
    access: 'contacts:read',
    cost: 5,
    tag: 'contacts',
    summary: 'List the people whom the account has blocked',
    description: `Sorted by LID, ${PAGE_OF_BLOCKED} in a page.`,
    query: z.strictObject({ cursor: cursorSchema }),
    reply: pageSchema(contactIdsSchema),
    errors: ['WHATSAPP_REFUSED'],
    example: {},
  }),
  'block-contact': sessionCommand({
    route: 'PUT /api/sessions/:id/blocked/:contact',
    access: 'contacts:write',
    cost: 10,
    tag: 'contacts',
    summary: 'Block a person',
    description:
      'WhatsApp takes a block only with both ids: a LID whose number is not known cannot be blocked.',
    params: named,
    reply: z.object({}),
    errors: [...ERRORS, 'NUMBER_NOT_KNOWN'],
    example,
  }),
  'unblock-contact': sessionCommand({
    route: 'DELETE /api/sessions/:id/blocked/:contact',
    access: 'contacts:write',
    cost: 10,
    tag: 'contacts',
    summary: 'Unblock a person',
    params: named,
    reply: z.object({}),
    errors: ERRORS,
    example,
  }),
  'subscribe-to-presence': sessionCommand({
    route: 'PUT /api/sessions/:id/contacts/:contact/presence-subscription',
    access: 'contacts:read',
    cost: 3,
    tag: 'contacts',
    summary: 'Receive presence.update events of a person',
    description:
      'Lasts until the connection to WhatsApp ends: subscribe again after each `connection.update` with `open`. ' +
      'WhatsApp does not confirm it, and sends presence only while the account shows as available.',
    params: named,
    reply: z.object({}),
    errors: ERRORS,
    example,
  }),
};
