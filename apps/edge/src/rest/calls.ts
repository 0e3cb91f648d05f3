import type { ContentAnswer, RestCall } from '@wafleet/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { z } from 'zod';
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

/** Adds a route for each call of a table. */
export function addCalls<Calls extends Readonly<Record<string, RestCall>>>(
  app: FastifyInstance,
  calls: Calls,
  handlers: HandlersOf<Calls>,
): void {
  for (const [name, call] of Object.entries<RestCall>(calls)) {
    const handler: CallHandler<never> = handlers[name as keyof Calls];
    addCall(app, name, call, (request, reply) => {
      const { params, query, headers, body } = request;
      // Fastify has validated them by the schemas that the handler's type is made from.
      return handler({ params, query, headers, body, request, reply } as ValidCall<never>);
    });
  }
}

/** Adds the route of a call: limited, validated, documented and answered as the call declares. */
export function addCall(
  app: FastifyInstance,
  name: string,
  call: RestCall,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
): void {
  const [method = '', url = ''] = call.route.split(' ');
  const statuses = Object.keys(call.answers);
  const route: RouteOptions = {
    method,
    url,
    exposeHeadRoute: call.hasHead !== false,
    schema: schemaOf(name, call),
    handler: (request, reply) => {
      if (statuses.length === 1) reply.code(Number(statuses[0]));
      return handler(request, reply);
    },
  };
  if (call.bodyLimit !== undefined) route.bodyLimit = call.bodyLimit;
  const { access } = call;
  if (access === 'passkey-link') route.config = { cost: costOf(call) };
  else if (access !== 'admin') route.config = { scope: access, cost: costOf(call) };
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
  const { summary, tag, params, query, headers, body, answers, access } = call;
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

function describe({ description, errors }: RestCall): string {
  const codes = errors.map((code) => `\`${code}\``).join(', ');
  return [description, errors.length === 0 ? undefined : `Errors: ${codes}.`]
    .filter((part) => part !== undefined)
    .join('\n\n');
}
