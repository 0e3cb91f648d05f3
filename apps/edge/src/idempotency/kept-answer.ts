import { errorDescriptionSchema, WafleetError } from '@wafleet/contract';
import { z } from 'zod';

/** How large an answer may be to be kept, as JSON. */
const MAX_BYTES = 4 * 1024;

const keptAnswerSchema = z.union([
  z.object({ status: z.number().int(), location: z.string().optional(), body: z.unknown() }),
  z.object({ error: errorDescriptionSchema }),
  z.object({ tooLarge: z.literal(true), status: z.number().int() }),
]);

/** The answer of a call, as it is kept for retries. */
type KeptAnswer = z.output<typeof keptAnswerSchema>;

/** An answer of success. */
export interface Success {
  readonly status: number;
  readonly location?: string | undefined;
  readonly body: unknown;
}

/** The text to keep of an answer. Of one that is too large, only the status is kept. */
export function keepAnswer(answer: Success | WafleetError): string {
  const kept = answer instanceof WafleetError ? { error: answer.describe() } : answer;
  const text = JSON.stringify(kept);
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  const { status } = answer;
  return JSON.stringify({ tooLarge: true, status });
}

/**
 * The answer that a text was kept of.
 * @throws {WafleetError} the error that was kept; IDEMPOTENCY_ANSWER_NOT_KEPT if the answer was too large or cannot be
 * read.
 */
export function readKeptAnswer(text: string): Success {
  const kept = parse(text);
  if (kept !== undefined && 'error' in kept) {
    const { code, message, details } = kept.error;
    throw new WafleetError(code, message, details);
  }
  if (kept !== undefined && 'body' in kept) return kept;
  throw new WafleetError(
    'IDEMPOTENCY_ANSWER_NOT_KEPT',
    'The request with this Idempotency-Key was carried out. Its answer was not kept.',
    kept === undefined ? undefined : { status: kept.status },
  );
}

function parse(text: string): KeptAnswer | undefined {
  try {
    return keptAnswerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
