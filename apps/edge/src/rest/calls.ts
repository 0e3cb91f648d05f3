import {
  type ContentAnswer,
  IDEMPOTENCY_ERRORS,
  idempotencyHeadersSchema,
  type RestCall,
  takesIdempotencyKey,
} from '@wafleet/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { z } from 'zod';
import type { AuditedCalls } from '../audit/audited-calls.js';
import type { CallIds } from '../idempotency/call-ids.js';
import { type IdempotentCalls, refuseIdempotencyKey } from '../idempotency/idempotent-calls.js';
import { errorResponses, TAKES_ADMIN_TOKEN, TAKES_PASSKEY_TOKEN } from './api-docs.js';

type Output<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

type Part<C extends RestCall, Name extends keyof RestCall> =
  C extends Readonly<Record<Name, infer Schema>> ? Output<Schema> : undefined;

/** A request that was admitted and validated by the call's schemas. */
export interface ValidCall<C extends RestCall> {
  readonly params: Part<C, 'params'>;
  readonly query: Part<C, 'query'>;
  readonly headers: Part<C, 'headers'>;
  readonly body: Part<C, 'body'>;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Makes the ids that the call gives to what it makes. */
  readonly ids: CallIds;
}

type Answers<C extends RestCall> = C['answers'][keyof C['answers']];
type Json<C extends RestCall> =
  Answers<C> extends infer Answer ? (Answer extends z.ZodType ? z.input<Answer> : never) : never;

/**
 * Answers a call with the body, or with the reply if that was sent already. If the call has only one answer, its status
 * is set before the handler is called.
 * @throws {WafleetError} the errors that the call declares.
 */
export type CallHandler<C extends RestCall> = (call: ValidCall<C>) => Promise<Json<C> | FastifyReply>;

/** A handler for each call of a table. */
export type HandlersOf<Calls extends Readonly<Record<string, RestCall>>> = {
  readonly [Name in keyof Calls]: CallHandler<Calls[Name]>;
};

/** What a call goes through between its validation and its handler. */
export interface CallRunners {
  /** Carries calls with an `Idempotency-Key` out once. */
  readonly idempotency: IdempotentCalls;
  /** Enters acts into the audit log. */
  readonly audited: AuditedCalls;
}

/** Adds a route for each call of a table. */
export function addCalls<Calls extends Readonly<Record<string, RestCall>>>(
  app: FastifyInstance,
  runners: CallRunners,
  calls: Calls,
  handlers: HandlersOf<Calls>,
  options: CallOptions = {},
): void {
  for (const [name, call] of Object.entries<RestCall>(calls)) {
    const handler: CallHandler<never> = handlers[name as keyof Calls];
    const act = (request: FastifyRequest, reply: FastifyReply, ids: CallIds) => {
      const { params, query, headers, body } = request;
      // Fastify has validated them by the schemas that the handler's type is made from.
      return handler({ params, query, headers, body, request, reply, ids } as ValidCall<never>);
    };
    addCall(app, runners, name, call, act, options);
  }
}

interface CallOptions {
  readonly deadlineMs?: number | ((request: FastifyRequest) => number);
  readonly receive?: (request: FastifyRequest, reply: FastifyReply) => Promise<string | undefined>;
}

/**
 * Adds the route of a call: limited, validated, carried out once for each `Idempotency-Key`, audited, documented and
 * answered as the call declares.
 * @param options.deadlineMs how long the handler may take. Default: the usual deadline of a command.
 * @param options.receive reads what has to be there before the call is carried out, and returns what distinguishes the
 * request from another one besides its parameters and body.
 */
export function addCall(
  app: FastifyInstance,
  { idempotency, audited }: CallRunners,
  name: string,
  call: RestCall,
  handler: (request: FastifyRequest, reply: FastifyReply, ids: CallIds) => Promise<unknown>,
  { deadlineMs, receive }: CallOptions = {},
): void {
  const [method = '', url = ''] = call.route.split(' ');
  const statuses = Object.keys(call.answers);
  const route: RouteOptions = {
    method,
    url,
    exposeHeadRoute: call.hasHead !== false,
    schema: schemaOf(name, call),
    handler: async (request, reply) => {
      if (statuses.length === 1) reply.code(Number(statuses[0]));
      const also = await receive?.(request, reply);
      const deadline = typeof deadlineMs === 'function' ? deadlineMs(request) : deadlineMs;
      return idempotency.run({ call, request, reply, deadlineMs: deadline, also }, (ids) => {
        const act = () => handler(request, reply, ids);
        return call.isAudited === true ? audited.run(name, call, request, act) : act();
      });
    },
  };
  if (method === 'POST' && !takesIdempotencyKey(call)) route.onRequest = refuseIdempotencyKey;
  if (call.bodyLimit !== undefined) route.bodyLimit = call.bodyLimit;
  const { access, files } = call;
  if (access === 'passkey-link') route.config = { cost: costOf(call) };
  else if (access !== 'admin') route.config = { scope: access, cost: costOf(call), files };
  if (call.isSecret === true) {
    route.onSend = async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    };
  }
  app.route(route);
}

function costOf({ cost }: RestCall) {
  return typeof cost === 'number' ? cost : cost.of;
}

function schemaOf(name: string, call: RestCall) {
  const { summary, tag, params, query, body, answers, access } = call;
  const headers = takesIdempotencyKey(call) ? idempotencyHeadersSchema : call.headers;
  return {
    operationId: name,
    summary,
    description: describe(call),
    tags: [tag],
    hide: call.isHidden === true,
    ...(access === 'admin' ? { security: TAKES_ADMIN_TOKEN } : {}),
    ...(access === 'passkey-link' ? { security: TAKES_PASSKEY_TOKEN } : {}),
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body }),
    response: { ...(answers as Readonly<Record<string, z.ZodType | ContentAnswer>>), ...errorResponses },
  };
}

function describe(call: RestCall): string {
  const { description, errors } = call;
  const all = takesIdempotencyKey(call) ? [...errors, ...IDEMPOTENCY_ERRORS] : errors;
  const codes = all.map((code) => `\`${code}\``).join(', ');
  return [description, all.length === 0 ? undefined : `Errors: ${codes}.`]
    .filter((part) => part !== undefined)
    .join('\n\n');
}
