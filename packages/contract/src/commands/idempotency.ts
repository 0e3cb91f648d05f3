import { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { RestCall } from './definition.js';

/** How long the answer of a call with an `Idempotency-Key` is known, ms. */
export const IDEMPOTENCY_LIFE_MS = 24 * 60 * 60 * 1000;

/** The header of an answer that was given before. Its value is `true`. */
export const REPLAYED_HEADER = 'idempotency-replayed';

const BARE = /^[\x21-\x7e]{1,255}$/;
/** The form of the IETF draft: a string of RFC 8941. */
const QUOTED = /^"((?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)"$/;

/** The key that a header names. `abc` and `"abc"` are the same key. Undefined if it is none. */
function keyOf(header: string): string | undefined {
  const [, quoted] = QUOTED.exec(header) ?? [];
  const key = header.startsWith('"') ? quoted?.replaceAll(/\\(["\\])/g, '$1') : header;
  return key !== undefined && BARE.test(key) ? key : undefined;
}

/** Reads the header `Idempotency-Key` to the key that it names: 1 to 255 visible ASCII characters. */
export const idempotencyKeySchema = z.string().transform((header, context) => {
  const key = keyOf(header);
  if (key !== undefined) return key;
  context.addIssue({
    code: 'custom',
    message: 'must be 1 to 255 visible ASCII characters, as they are or as a quoted string',
  });
  return z.NEVER;
});

/** The headers of a call that takes an `Idempotency-Key`. */
export const idempotencyHeadersSchema = z.looseObject({
  'idempotency-key': idempotencyKeySchema
    .optional()
    .describe(
      'A random name of what is to be done, such as a UUID: a retry with it acts once, and gets the same answer for ' +
        '24 hours',
    ),
});

/** The errors of a call that takes an `Idempotency-Key`, if the request has one. */
export const IDEMPOTENCY_ERRORS = [
  'IDEMPOTENCY_KEY_REUSED',
  'IDEMPOTENCY_IN_PROGRESS',
  'IDEMPOTENCY_ANSWER_NOT_KEPT',
  'TOO_MANY_IDEMPOTENCY_KEYS',
] as const satisfies readonly ErrorCode[];

/**
 * Whether a call takes an `Idempotency-Key`: each POST does, except those whose answer is secret, since the answer is
 * stored. Other methods are idempotent by themselves.
 */
export function takesIdempotencyKey({ route, isSecret }: Pick<RestCall, 'route' | 'isSecret'>): boolean {
  return route.startsWith('POST ') && isSecret !== true;
}
