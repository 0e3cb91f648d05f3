import {
  type ContentAnswer,
  errorBodySchema,
  REST_CALLS,
  type RestCall,
  takesIdempotencyKey,
  WafleetError,
} from '@wafleet/contract';
import type { z } from 'zod';
import { ApiError, UnexpectedAnswerError } from './answer-errors.js';
import type { CallArguments, CallName, CallReply } from './call-types.js';

const TIMEOUT_MS = 30_000;
/** How much of an unknown error an exception shows. */
const SHOWN_CHARACTERS = 300;

export interface ClientOptions {
  /** Where the service is, e.g. `https://wafleet.example.com`. A function is called for each request. */
  readonly url: string | (() => string);
  /** An API key, or the administrator's token for the calls of the administrator. */
  readonly key: string;
  /** Time limit for a whole answer in ms. Default: 30,000. */
  readonly timeoutMs?: number;
}

/** The parts of any call's input. */
interface Input {
  readonly idempotencyKey?: string | undefined;
  readonly params?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
}

/** Makes REST calls with one API key, or with the administrator's token. Runs in Node.js and in browsers. */
export class WafleetClient {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Makes a call of the contract, and resolves with its answer, checked by its schema. Makes one attempt: an error says
   * by `retryable` whether another one may succeed. A POST whose answer is not secret takes an `idempotencyKey`: make
   * another attempt with the same key and input, and the call is carried out once.
   *
   * Rejects with an `ApiError` if the service answered with an error, with a `WafleetError` before anything is sent if a
   * parameter of the path is not valid (VALIDATION_FAILED) or if the call takes no key (IDEMPOTENCY_NOT_SUPPORTED), with
   * an `UnexpectedAnswerError` if the answer does not follow the contract, and as `fetch` does if there is no answer in
   * time.
   */
  async call<Name extends CallName>(name: Name, ...[input]: CallArguments<Name>): Promise<CallReply<Name>> {
    const call: RestCall = REST_CALLS[name];
    const { params, query, body, idempotencyKey }: Input = input ?? {};
    if (idempotencyKey !== undefined && !takesIdempotencyKey(call)) throw takesNoKey(call);
    const [method = '', route = ''] = call.route.split(' ');
    const path = fillPath(route, checkParams(call, params));
    const response = await this.#fetch(method, path, { query, body, idempotencyKey });
    // The schema that the reply was checked by is the one that its type is made from.
    return readAnswer(call, `${method} ${path}`, response.status, await response.text()) as CallReply<Name>;
  }

  #fetch(
    method: string,
    path: string,
    { query, body, idempotencyKey }: Omit<Input, 'params'>,
  ): Promise<Response> {
    const { url: base, key, timeoutMs = TIMEOUT_MS } = this.#options;
    const url = new URL(path, typeof base === 'string' ? base : base());
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const hasBody = body !== undefined && body !== null;
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
        ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      },
      ...(hasBody ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(timeoutMs),
    });
  }
}

function takesNoKey({ route }: RestCall): WafleetError {
  return new WafleetError('IDEMPOTENCY_NOT_SUPPORTED', `${route} takes no idempotency key.`);
}

/** Parameters become a part of the path: one such as `..` would lead to another call. */
function checkParams({ params: schema }: RestCall, params: Input['params'] = {}): object {
  const checked = schema?.safeParse(params);
  if (checked?.error === undefined) return checked?.data ?? {};
  const issues = checked.error.issues.map(({ path, message }) => ({
    path: ['params', ...path].join('.'),
    message,
  }));
  throw new WafleetError('VALIDATION_FAILED', 'The path parameters are not valid.', { issues });
}

function fillPath(route: string, params: object): string {
  const values = new Map(Object.entries(params));
  return route.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(values.get(name))));
}

/** The checked body of an answer of success. Throws any other answer as an error. */
function readAnswer(call: RestCall, request: string, status: number, text: string): unknown {
  const body = parseJson(text);
  if (status >= 400) {
    const { data } = errorBodySchema.safeParse(body);
    if (data === undefined)
      throw new UnexpectedAnswerError(request, status, `with ${text.slice(0, SHOWN_CHARACTERS)}`);
    throw new ApiError(request, status, data.error);
  }
  const schema = jsonSchemaOf(call.answers[status]);
  const checked = schema?.safeParse(body);
  if (checked?.success) return checked.data;
  throw new UnexpectedAnswerError(request, status, 'with another body than the contract has', {
    cause: checked?.error,
  });
}

/** Null for an empty text; undefined for one that is not JSON. */
function parseJson(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function jsonSchemaOf(answer: z.ZodType | ContentAnswer | undefined): z.ZodType | undefined {
  if (answer === undefined) return undefined;
  return 'content' in answer ? answer.content['application/json']?.schema : answer;
}
