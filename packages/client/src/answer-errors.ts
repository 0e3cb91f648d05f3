import { type errorDescriptionSchema, WafleetError } from '@wafleet/contract';
import type { z } from 'zod';

/** An error that the service answered: `code`, `retryable` and `details` are those of the contract. */
export class ApiError extends WafleetError {
  /** @param request the method and path of the call. */
  constructor(request: string, status: number, error: z.output<typeof errorDescriptionSchema>) {
    const { code, message, details } = error;
    super(code, `${request} answered ${status} ${code}: ${message}`, details);
    this.name = 'ApiError';
  }
}

/**
 * An answer that the contract does not have, such as the page of a proxy, or one of a release with other calls or
 * errors. The message has no part of an answer of success, which may be secret.
 */
export class UnexpectedAnswerError extends Error {
  /** The HTTP status of the answer. */
  readonly status: number;

  /** @param request the method and path of the call. */
  constructor(request: string, status: number, what: string, options?: { readonly cause: unknown }) {
    super(`${request} answered ${status} ${what}`, options);
    this.name = 'UnexpectedAnswerError';
    this.status = status;
  }
}
