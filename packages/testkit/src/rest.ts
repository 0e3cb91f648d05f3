import { type ErrorCode, errorBodySchema } from '@wafleet/contract';

/** A REST answer that is no success, in the contract's one shape. */
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

/** Reads an answer's body, such as a zod schema of the contract. Throws on what does not fit. */
export interface BodySchema<T> {
  parse(body: unknown): T;
}

/** The schema of an answer without a body. */
export const noBody: BodySchema<undefined> = { parse: () => undefined };

export interface RestCall {
  method: 'GET' | 'POST' | 'DELETE';
  /** Begins with `/api/`. */
  path: string;
  body?: unknown;
}

/**
 * Makes a REST call and resolves with its answer, checked against the schema.
 * Rejects with an `ApiError` on any answer that is no success.
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
