import type { IncomingMessage } from 'node:http';
import {
  PROBLEM_CONTENT_TYPE,
  problemOf,
  REQUEST_ID_HEADER,
  retryAfterMsOf,
  WafleetError,
} from '@wafleet/contract';
import type { RefusalAnswer } from '@wafleet/runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { newRequestId, requestIdOf } from '../http/request-id.js';
import { toWafleetError } from './to-wafleet-error.js';

/** What an answer says of an invalid request: a request may have more errors, and longer ones, than fit an answer. */
const MAX_ISSUES = 50;
const MAX_ISSUE_CHARACTERS = 300;

/**
 * An error as an HTTP answer, for connections and requests that Fastify does not have.
 * @param request undefined if what came is not a request.
 */
export function refusalOf(
  error: WafleetError,
  request: IncomingMessage | undefined,
): Required<RefusalAnswer> {
  const requestId = request === undefined ? newRequestId() : requestIdOf(request);
  return {
    status: error.status,
    headers: {
      'content-type': PROBLEM_CONTENT_TYPE,
      'cache-control': 'no-store',
      [REQUEST_ID_HEADER]: requestId,
      ...retryAfter(error),
    },
    body: JSON.stringify(problemOf(error, requestId)),
  };
}

function retryAfter(error: WafleetError): { 'retry-after'?: string } {
  const retryAfterMs = retryAfterMsOf(error);
  return retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) };
}

/**
 * Answers every failure, including Fastify's own, with a problem (RFC 9457).
 * @param onRefused called with each error of a request that has a route, when it is answered.
 */
export function handleErrors(app: FastifyInstance, onRefused: (error: WafleetError) => void): void {
  app.setErrorHandler((error, request, reply) => {
    const known = toKnown(error, request);
    onRefused(known);
    if (codeOf(error) === TOO_LARGE) readOn(request, reply);
    return sendKnown(known, request, reply);
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new WafleetError(
        'ROUTE_NOT_FOUND',
        `There is no ${request.method} on this path. GET /docs lists every call.`,
      ),
      request,
      reply,
    ),
  );
}

const TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

/** The rest of a refused body is read and dropped if the body has at most this size, bytes. */
const DROPPED_BYTES = 256 * 1024 * 1024;

/**
 * Lets the rest of a refused body be read and dropped, in the time that a body may take. Fastify would close the
 * connection: a client that still sends then gets a reset connection, and may never see the answer.
 */
function readOn({ headers }: FastifyRequest, reply: FastifyReply): void {
  if (Number(headers['content-length']) <= DROPPED_BYTES) reply.removeHeader('connection');
}

export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendKnown(toKnown(error, request), request, reply);
}

function toKnown(error: unknown, request: FastifyRequest): WafleetError {
  return ofClient(error, request) ?? ofFastify(error) ?? toWafleetError(error, request.log);
}

function sendKnown(known: WafleetError, { id }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers(retryAfter(known));
  if (known.status === 401) reply.header('www-authenticate', 'Bearer');
  // A path that is not valid has no hooks, which add the id to all other answers.
  reply.header(REQUEST_ID_HEADER, id);
  return reply.code(known.status).type(PROBLEM_CONTENT_TYPE).send(problemOf(known, id));
}

/**
 * The error of a client that left before its whole request had arrived. The client does not see the answer, and the
 * failure is not ours.
 */
function ofClient(error: unknown, { raw }: FastifyRequest): WafleetError | undefined {
  if (raw.errored !== error || raw.complete) return undefined;
  return new WafleetError(
    'VALIDATION_FAILED',
    'The connection was closed before the whole request was there.',
  );
}

/** What is said of a part of a request that does not match its schema, by the name that Fastify has for the part. */
const INVALID_PARTS: Readonly<Record<string, string>> = {
  params: 'The path parameters are not valid.',
  querystring: 'The query is not valid.',
  body: 'The body is not valid.',
  headers: 'The headers are not valid.',
};

/** Converts Fastify's errors that the caller can fix; undefined for anything else. */
function ofFastify(error: unknown): WafleetError | undefined {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const part = error.validationContext ?? 'request';
    const issues = error.validation.slice(0, MAX_ISSUES).map((issue) => ({
      path: issuePath(part, issue.instancePath).slice(0, MAX_ISSUE_CHARACTERS),
      message: (issue.message ?? 'is not valid').slice(0, MAX_ISSUE_CHARACTERS),
    }));
    const first = issues[0];
    const hint = first === undefined ? '' : ` ${first.path}: ${first.message}.`;
    const what = INVALID_PARTS[part] ?? 'The request is not valid.';
    return new WafleetError('VALIDATION_FAILED', `${what}${hint}`, { issues });
  }
  switch (codeOf(error)) {
    case TOO_LARGE:
      return new WafleetError('PAYLOAD_TOO_LARGE', 'The request body is too large.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new WafleetError('VALIDATION_FAILED', 'The request body must be application/json.');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new WafleetError('VALIDATION_FAILED', 'The request body is not valid JSON.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new WafleetError('VALIDATION_FAILED', 'A part of the path is too long.');
    case 'FST_ERR_BAD_URL':
      return new WafleetError('VALIDATION_FAILED', 'The path is not a valid URL.');
    default:
      return isOfCaller(error)
        ? new WafleetError('VALIDATION_FAILED', 'This is not a request that the path takes.')
        : undefined;
  }
}

/** Whether Fastify or a plugin blames the request, by a status from 400 to 499. */
function isOfCaller(error: unknown): boolean {
  if (!(error instanceof Error) || !('statusCode' in error)) return false;
  return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** `body.to` of the pointer `/to` in the body. */
function issuePath(part: string, pointer: string): string {
  return [part, ...pointer.split('/').filter((segment) => segment !== '')].join('.');
}
