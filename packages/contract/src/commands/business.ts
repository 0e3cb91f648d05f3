import { z } from 'zod';
import { sessionCommand } from './definition.js';
import { pageSchema } from './pages.js';
import { personSchema } from './whatsapp-ids.js';

/** WhatsApp's own bounds of a profile. */
const PROFILE_LIMITS = { address: 256, description: 512, email: 128, website: 256, websites: 2 } as const;

/** A page of products has at most 200 KB, although each may have 5,000 characters. */
const PAGE_PRODUCTS = 10;
/** The collections of a page. */
const PAGE_COLLECTIONS = 20;

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const minuteSchema = z.number().int().min(0).max(1_440);

/** The hours of one day; one day may have several. */
const openingSchema = z
  .strictObject({
    day: z.enum(DAYS),
    mode: z
      .enum(['specific_hours', 'open_24h', 'appointment_only'])
      .describe('`specific_hours` has a beginning and an end'),
    opensAt: minuteSchema.optional().describe('minutes after midnight'),
    closesAt: minuteSchema.optional().describe('minutes after midnight'),
  })
  .refine(
    ({ mode, opensAt, closesAt }) =>
      mode === 'specific_hours'
        ? opensAt !== undefined && closesAt !== undefined
        : opensAt === undefined && closesAt === undefined,
    { message: 'specific_hours needs opensAt and closesAt, the other modes have none' },
  );

const hoursSchema = z.strictObject({
  timezone: z.string().regex(/^[A-Za-z0-9_+\-/]{1,64}$/, 'must be a time zone such as Europe/Berlin'),
  days: z.array(openingSchema).max(28),
});

export type BusinessHours = z.output<typeof hoursSchema>;

export const businessProfileSchema = z.object({
  description: z.string().nullable(),
  address: z.string().nullable(),
  email: z.string().nullable(),
  websites: z.array(z.string()),
  categories: z.array(z.object({ id: z.string().nullable(), name: z.string() })),
  hours: z
    .object({
      timezone: z.string().nullable(),
      days: z.array(
        z.object({
          day: z.string(),
          mode: z.string(),
          opensAt: z.number().int().optional().describe('minutes after midnight'),
          closesAt: z.number().int().optional().describe('minutes after midnight'),
        }),
      ),
    })
    .nullable()
    .describe('a day that is not listed is closed'),
});

export type BusinessProfile = z.output<typeof businessProfileSchema>;

export const businessProfileChangeSchema = z
  .strictObject({
    description: z.string().trim().max(PROFILE_LIMITS.description).optional(),
    address: z.string().trim().max(PROFILE_LIMITS.address).optional(),
    email: z.union([z.literal(''), z.email().max(PROFILE_LIMITS.email)]).optional(),
    websites: z
      .array(z.url({ protocol: /^https?$/ }).max(PROFILE_LIMITS.website))
      .max(PROFILE_LIMITS.websites)
      .optional(),
    hours: hoursSchema.optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    message: 'at least one field is needed',
  });

export type BusinessProfileChange = z.output<typeof businessProfileChangeSchema>;

const amountSchema = z
  .number()
  .int()
  .nullable()
  .describe('in thousandths of the currency, as in events: 12,500 is 12.50; null if there is no price');

const productFields = {
  id: z.string(),
  name: z.string(),
  priceAmount1000: amountSchema,
  currencyCode: z.string().nullable().describe('such as `EUR`'),
};

const catalogProductFields = {
  ...productFields,
  retailerId: z.string().nullable().describe('the number that the seller has for it'),
  imageUrl: z.string().nullable(),
  isHidden: z.boolean(),
};

export const productSchema = z.object({
  ...catalogProductFields,
  description: z.string().nullable(),
  url: z.string().nullable().describe('the page of the seller about it'),
});

export type Product = z.output<typeof productSchema>;

export const collectionSchema = z.object({
  id: z.string(),
  name: z.string(),
  products: z.array(z.object(catalogProductFields)).describe('the first ten, without their descriptions'),
});

export type ProductCollection = z.output<typeof collectionSchema>;

export const orderSchema = z.object({
  totalAmount1000: amountSchema,
  currencyCode: z.string().nullable(),
  products: z.array(
    z.object({ ...productFields, imageUrl: z.string().nullable(), quantity: z.number().int().nullable() }),
  ),
});

export type Order = z.output<typeof orderSchema>;

const cursorSchema = z.string().min(1).max(1_000).optional().describe('The `nextCursor` of the page before');

function pageQuery(max: number) {
  return z.strictObject({
    limit: z.coerce
      .number<number | string>()
      .int()
      .min(1)
      .max(max)
      .default(max)
      .describe('How many items at most'),
    cursor: cursorSchema,
  });
}

const reading = { access: 'business:read', tag: 'business' } as const;
const named = { contact: personSchema };
const example = { contact: '15550001001' };
const ERRORS = ['RECIPIENT_NOT_FOUND', 'BUSINESS_NOT_FOUND', 'WHATSAPP_REFUSED'] as const;

/** Profiles, catalogues and orders of business accounts. */
export const businessCommands = {
  'get-business-profile': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/contacts/:contact/business',
    cost: 5,
    summary: 'Get the business profile of a person',
    params: named,
    reply: businessProfileSchema,
    errors: ERRORS,
    example,
  }),
  'get-catalog': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/contacts/:contact/products',
    cost: 10,
    summary: 'List the products in the catalogue of a business',
    params: named,
    query: pageQuery(PAGE_PRODUCTS),
    reply: pageSchema(productSchema),
    errors: ERRORS,
    example,
  }),
  'get-collections': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/contacts/:contact/collections',
    cost: 10,
    summary: 'List the collections of products of a business',
    params: named,
    query: pageQuery(PAGE_COLLECTIONS),
    reply: pageSchema(collectionSchema),
    errors: ERRORS,
    example,
  }),
  'get-order': sessionCommand({
    ...reading,
    route: 'POST /api/sessions/:id/orders/:order',
    cost: 5,
    summary: 'Get the products of an order',
    description:
      'An order comes as `orderMessage` of `messages.upsert`, with its `orderId` and `token`. The token is in the body ' +
      'rather than in the path, since it lets its holder see the order.',
    params: { order: z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, 'must be the orderId of an order') },
    body: z.strictObject({ token: z.string().min(1).max(1_024) }),
    reply: orderSchema,
    errors: ['ORDER_NOT_FOUND', 'WHATSAPP_REFUSED'],
    example: { order: '1234567890', token: 'AR4flJ9Aq+cTvVVQO2bkZg==' },
  }),
  'get-own-business-profile': sessionCommand({
    ...reading,
    route: 'GET /api/sessions/:id/business',
    cost: 5,
    summary: 'Get the business profile of the account',
    reply: businessProfileSchema,
    errors: ['BUSINESS_NOT_FOUND', 'WHATSAPP_REFUSED'],
  }),
  'change-business-profile': sessionCommand({
    access: 'business:write',
    tag: 'business',
    route: 'PATCH /api/sessions/:id/business',
    cost: 10,
    summary: 'Change the business profile of the account',
    description: 'What is not named stays as it is. An empty text or list removes what is there.',
    body: businessProfileChangeSchema,
    reply: z.object({}),
    errors: ['WHATSAPP_REFUSED'],
    example: { description: 'Open till six' },
  }),
};
