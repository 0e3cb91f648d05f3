import { type ErrorCode, errorBodySchema } from '@wafleet/contract';

/** A REST answer that is not a success, in the contract's error format. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(call: string, status: number, body: unknown) {
    const { error } = errorBodySchema.parse(body);
    super(`${call} answered ${status} ${error.code}: ${error.message}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = error.code;
    this.details = error.details;
  }
}

/** Parses an answer's body, e.g. a zod schema of the contract. Throws if the body is invalid. */
export interface BodySchema<T> {
  parse(body: unknown): T;
}

/** The schema of an answer without a body. */
export const emptyBody: BodySchema<undefined> = { parse: () => undefined };

export interface RestCall {
  method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/api/`. */
  path: string;
  body?: unknown;
}

/**
 * Makes a REST call and resolves with its answer, checked against the schema.
 * Rejects with an `ApiError` if the answer is not a success.
 */
export async function callApi<T>(
  edgeUrl: string,
  headers: Readonly<Record<string, string>>,
  { method, path, body }: RestCall,
  schema: BodySchema<T>,
): Promise<T> {
  const response = await fetch(new URL(path, edgeUrl), {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  const answer: unknown = text === '' ? undefined : JSON.parse(text);
  if (!response.ok) throw new ApiError(`${method} ${path}`, response.status, answer);
  return schema.parse(answer);
}
