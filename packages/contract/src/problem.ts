import { z } from 'zod';
import { type ErrorCode, errorDescriptionSchema, type WafleetError } from './errors.js';

/** The type of an answer that is not a success (RFC 9457). Its body is JSON. */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The page with the meaning of every error, on each edge. */
export const ERRORS_PATH = '/docs/errors';

/** Words of codes that have a spelling of their own. */
const SPELLINGS: Readonly<Record<string, string>> = { QR: 'QR', WHATSAPP: 'WhatsApp' };

/** What the code of an error says, in words: the same for each answer with this code. */
export function titleOf(code: ErrorCode): string {
  const text = code
    .split('_')
    .map((word) => SPELLINGS[word] ?? word.toLowerCase())
    .join(' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The body of every REST answer that is not a success: a problem (RFC 9457), and `error` as in the other channels. */
export const problemSchema = z.object({
  type: z.string().describe('Where the error is described, relative to the edge'),
  title: z.string().describe('What `code` says, in words'),
  status: z.number().int().describe('The HTTP status'),
  detail: z.string().describe('What went wrong this time, for people. As `error.message`'),
  instance: z.string().describe('The `Request-Id` of the answer'),
  code: errorDescriptionSchema.shape.code,
  details: errorDescriptionSchema.shape.details,
  retryAfterMs: z.number().optional().describe('When to try again at the earliest, ms. As `Retry-After`'),
  error: errorDescriptionSchema,
});

export type Problem = z.output<typeof problemSchema>;

/** The body of an answer to the request of this id. */
export function problemOf(error: WafleetError, requestId: string): Problem {
  const description = error.describe();
  const { code, message, details } = description;
  const retryAfterMs = retryAfterMsOf(error);
  return {
    type: `${ERRORS_PATH}#${code}`,
    title: titleOf(code),
    status: error.status,
    detail: message,
    instance: requestId,
    code,
    ...(details === undefined ? {} : { details }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    error: description,
  };
}

/** When the caller may try again, ms; undefined if the error does not say. */
export function retryAfterMsOf({ details }: Pick<WafleetError, 'details'>): number | undefined {
  const value = details?.retryAfterMs;
  return typeof value === 'number' ? value : undefined;
}
