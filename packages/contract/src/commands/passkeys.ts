import { z } from 'zod';
import { type RestCall, sessionCommand, sessionParamsSchema } from './definition.js';
import { instantSchema } from './fields.js';

/** Bytes as browsers and scripts write them: base64url or base64, with or without padding. */
function bytesSchema(maxLength: number) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[\w+/-]+={0,2}$/, 'must be base64url or base64');
}

/** `PublicKeyCredential.toJSON()` of a browser, in 16 KiB. Other keys are ignored. */
export const passkeyAssertionSchema = z.object({
  id: bytesSchema(1_400),
  rawId: bytesSchema(1_400),
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: bytesSchema(6_000),
    authenticatorData: bytesSchema(4_000),
    signature: bytesSchema(1_400),
    userHandle: bytesSchema(200).nullish(),
  }),
});

export const PASSKEY_STAGES = ['requested', 'signed', 'code-shown', 'confirmed'] as const;

export const passkeyViewSchema = z.object({
  stage: z
    .enum(PASSKEY_STAGES)
    .describe(
      '`requested`: sign the options. `signed`: the phone is to go on. `code-shown`: compare the codes, unless ' +
        '`isCodeOptional`. `confirmed`: the phone completes the link.',
    ),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('PublicKeyCredentialRequestOptionsJSON as WhatsApp sent it, while it can be signed'),
  expiresAt: instantSchema.describe('When the stage ends by itself, and the link begins again'),
  code: z
    .string()
    .optional()
    .describe('The code that the phone shows too, if it shows one, such as `ABCD-1234`'),
  isCodeOptional: z
    .boolean()
    .optional()
    .describe('Whether the session has confirmed the code by itself, so that the phone need not show it'),
});

/** The same for a person who has a helper link and no API key. For a minute it says also that the link was made. */
export const linkedPasskeyViewSchema = passkeyViewSchema.extend({
  stage: z
    .enum([...PASSKEY_STAGES, 'linked'])
    .describe(
      'As in `GET /api/sessions/:id/passkey`, or `linked`: the session is linked, nothing is left to do',
    ),
  label: z.string().describe('The name of the session, or its id'),
});

export const confirmPasskeyBodySchema = z.strictObject({
  matches: z.boolean().describe('Whether the phone shows the same code. `false` ends the attempt to link'),
});

const httpUrlSchema = z.url({ protocol: /^https?$/ }).max(500);

export const createPasskeyLinkBodySchema = z.strictObject({
  apiUrl: httpUrlSchema
    .optional()
    .describe('Where browsers reach this API. Default: PUBLIC_URL of the edge, else the URL of this request'),
});
export const passkeyLinkSchema = z.object({
  url: z.string().describe('For one person: it opens WhatsApp Web, where the helper extension signs'),
  expiresAt: instantSchema.describe('When it ends at the latest. It ends earlier with the link by passkey'),
});

export type PasskeyAssertion = z.output<typeof passkeyAssertionSchema>;
export type PasskeyView = z.output<typeof passkeyViewSchema>;
export type LinkedPasskeyView = z.output<typeof linkedPasskeyViewSchema>;
export type PasskeyStage = PasskeyView['stage'];

const assertionExample = {
  id: 'AQID',
  rawId: 'AQID',
  type: 'public-key',
  response: { clientDataJSON: 'e30', authenticatorData: 'AQID', signature: 'AQID', userHandle: null },
};

/** The passkey that WhatsApp asks some accounts for when they link a device. */
export const passkeyCommands = {
  'get-passkey': sessionCommand({
    route: 'GET /api/sessions/:id/passkey',
    access: 'sessions:write',
    cost: 2,
    tag: 'linking',
    summary: 'Get what WhatsApp asks the passkey of the account to sign',
    reply: passkeyViewSchema,
    errors: ['PASSKEY_NOT_REQUESTED', 'ALREADY_LINKED'],
    isSecret: true,
    example: {},
    execution: { requires: 'any' },
  }),
  'sign-passkey': sessionCommand({
    route: 'POST /api/sessions/:id/passkey/assertion',
    access: 'sessions:write',
    cost: 20,
    tag: 'linking',
    summary: 'Answer with the signature of the passkey',
    description:
      'The body is `PublicKeyCredential.toJSON()` of a browser that signed in a page of https://web.whatsapp.com. ' +
      'One that is made for something else is refused before it goes to WhatsApp, and another one can follow.',
    body: passkeyAssertionSchema,
    reply: passkeyViewSchema,
    errors: ['PASSKEY_NOT_REQUESTED', 'PASSKEY_ASSERTION_INVALID', 'PASSKEY_REFUSED', 'ALREADY_LINKED'],
    isSecret: true,
    example: assertionExample,
    execution: { requires: 'any' },
  }),
  'confirm-passkey': sessionCommand({
    route: 'POST /api/sessions/:id/passkey/confirmation',
    access: 'sessions:write',
    cost: 20,
    tag: 'linking',
    summary: 'Say whether the phone shows the same code',
    description: 'Needed if `isCodeOptional` is false. `matches: false` ends the attempt at any stage.',
    body: confirmPasskeyBodySchema,
    reply: passkeyViewSchema,
    errors: ['PASSKEY_NOT_REQUESTED', 'ALREADY_LINKED'],
    isSecret: true,
    example: { matches: true },
    execution: { requires: 'any' },
  }),
};

/** How a person who has no API key signs for a session. */
export const passkeyCalls = {
  'create-passkey-link': {
    route: 'POST /api/sessions/:id/passkey/helper-link',
    access: 'sessions:write',
    cost: 20,
    tag: 'linking',
    summary: 'Create a link by which a person can sign in a browser, without an API key',
    description:
      'It ends with the link by passkey, and when another one is created for the session. It is good for the three ' +
      'calls under `/api/passkey`, of this session alone.',
    params: sessionParamsSchema,
    body: createPasskeyLinkBodySchema.nullish(),
    answers: { 201: passkeyLinkSchema },
    errors: [
      'SESSION_NOT_FOUND',
      'PASSKEY_NOT_REQUESTED',
      'ALREADY_LINKED',
      ...(['NO_WORKER', 'SESSION_NOT_OPEN', 'OUTCOME_UNKNOWN', 'NOT_SUPPORTED'] as const),
      ...(['TOO_MANY_COMMANDS', 'INBOX_FULL'] as const),
    ],
    isSecret: true,
    example: { apiUrl: 'https://api.example.com' },
  },
} as const satisfies Record<string, RestCall>;

const { rest: getCall } = passkeyCommands['get-passkey'];
const { rest: signCall } = passkeyCommands['sign-passkey'];
const { rest: confirmCall } = passkeyCommands['confirm-passkey'];

/** The calls of the holder of a helper link: `Authorization: Bearer <token of the link>`. */
export const passkeyLinkCalls = {
  'get-linked-passkey': {
    route: 'GET /api/passkey',
    access: 'passkey-link',
    cost: 2,
    tag: 'linking',
    summary: 'Get what the passkey is asked to sign, with the token of a helper link',
    answers: { 200: linkedPasskeyViewSchema },
    errors: getCall.errors,
    isSecret: true,
  },
  'sign-linked-passkey': {
    route: 'POST /api/passkey/assertion',
    access: 'passkey-link',
    cost: 20,
    tag: 'linking',
    summary: 'Answer with the signature of the passkey, with the token of a helper link',
    body: passkeyAssertionSchema,
    answers: { 200: linkedPasskeyViewSchema },
    errors: signCall.errors,
    isSecret: true,
    example: assertionExample,
  },
  'confirm-linked-passkey': {
    route: 'POST /api/passkey/confirmation',
    access: 'passkey-link',
    cost: 20,
    tag: 'linking',
    summary: 'Say whether the phone shows the same code, with the token of a helper link',
    body: confirmPasskeyBodySchema,
    answers: { 200: linkedPasskeyViewSchema },
    errors: confirmCall.errors,
    isSecret: true,
    example: { matches: true },
  },
} as const satisfies Record<string, RestCall>;
