import { z } from 'zod';
import type { KeyScope } from '../api-key-scopes.js';
import type { ErrorCode } from '../errors.js';
import { sessionIdSchema } from '../identifiers.js';

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A method and a path, with parameters as `:name`. */
export type Route = `${Method} /api/${string}`;

/** The groups of calls in the documentation. */
export type Tag =
  | 'administration'
  | 'sessions'
  | 'linking'
  | 'moving'
  | 'messages'
  | 'jobs'
  | 'contacts'
  | 'chats'
  | 'profile'
  | 'groups'
  | 'channels'
  | 'business'
  | 'events'
  | 'usage';

/** The part of a request that decides what it costs. It has not been validated yet. */
export interface CostedRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly query: unknown;
}

/** A cost that depends on the request. */
export interface VariableCost {
  readonly of: (request: CostedRequest) => number;
  /** For the documentation. */
  readonly text: string;
}

/** An answer that is not JSON alone: the schema of each content type. */
export interface ContentAnswer {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: z.ZodType }>>;
}

/** How a call is served over REST, limited and documented. */
export interface RestCall {
  readonly route: Route;
  /**
   * Who may call it: an API key that has this scope, the holder of the administrator's token, or of the token of a
   * helper link for a passkey.
   */
  readonly access: KeyScope | 'admin' | 'passkey-link';
  /**
   * What the call costs of the rates of its API key and tenant, in units: about the work of a small read. The
   * administrator's calls cost nothing.
   */
  readonly cost: number | VariableCost;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodType;
  readonly body?: z.ZodType;
  /** How large the body may be, bytes. Default: that of the edge, which is enough for the longest text. */
  readonly bodyLimit?: number;
  /**
   * The body may come as `multipart/form-data` too: a part of this name with the body as JSON, and then the part `file`.
   * `of`: the field of the body that the file belongs to. Default: the body itself. `isRaw`: the body may also be the
   * file itself, of any other content type than JSON.
   */
  readonly files?: { readonly part: string; readonly of?: 'content'; readonly isRaw?: true };
  /** By status. */
  readonly answers: Readonly<Record<number, z.ZodType | ContentAnswer>>;
  /** The errors of this call, besides those that any call can have: see COMMON_ERRORS. */
  readonly errors: readonly ErrorCode[];
  /** Valid values of the path's parameters, besides `:id`, and of the body's fields: for tests. */
  readonly example?: Readonly<Record<string, unknown>>;
  /** An act that leaves an entry in the audit log, written before it begins. */
  readonly isAudited?: true;
  /** Left out of the documentation. */
  readonly isHidden?: true;
  /** The answer is for the caller alone: no cache may store it. */
  readonly isSecret?: true;
  /** Whether a GET call has a HEAD call too, which is added by itself. Default: true. */
  readonly hasHead?: false;
}

/**
 * How commands are bounded while they wait for a worker and while it executes them.
 * `control`: commands of the cluster itself. Never refused for lack of room, and never behind a tenant's commands.
 * `calls`: commands of a tenant that ask WhatsApp for something. Bounded for each tenant and for each session.
 * `media`: commands about files, whose downloads are bounded. Bounded for each tenant.
 */
export type CommandLane = 'control' | 'calls' | 'media';

/** How a worker executes a command. */
export interface Execution {
  readonly lane: CommandLane;
  /** `session`: after the session's earlier commands of this lane have ended. `none`: at any time. */
  readonly order: 'session' | 'none';
  /** The state that the session must be in. `open`: a session that connects is waited for, then SESSION_NOT_OPEN. */
  readonly requires: 'open' | 'any';
  /** How long the sender waits for the answer, ms. A worker drops a command that it finds later than that. */
  readonly deadlineMs: number;
  /**
   * What happens when a command comes a second time. `harmless`: the same as after the first. `once`: the worker
   * executes it once and repeats the first answer, by the id that its sender gave it.
   */
  readonly repeat: 'harmless' | 'once';
}

/** What a worker executes for one session. */
export interface Command<
  Fields extends z.ZodObject = z.ZodObject,
  Reply extends z.ZodType = z.ZodType,
  Rest extends RestCall = RestCall,
> {
  /** What goes to the worker, besides the session. Parsing its own output again must not change it. */
  readonly fields: Fields;
  readonly reply: Reply;
  readonly execution: Execution;
  /**
   * The kind under which these fields of a request go to the worker. Default: the command's own. With it, workers of
   * earlier releases get what they know under its earlier name.
   */
  readonly kindOf?: (fields: Readonly<Record<string, unknown>>) => string;
  /** Undefined for the cluster's own commands. */
  readonly rest?: Rest;
}

/** The errors that any REST call can have. */
export const COMMON_ERRORS = [
  'VALIDATION_FAILED',
  'UNAUTHORIZED',
  'KEY_EXPIRED',
  'FORBIDDEN',
  'PAYLOAD_TOO_LARGE',
  'REQUEST_TIMEOUT',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'INTERNAL',
] as const satisfies readonly ErrorCode[];

/** Those of every call that a session's worker executes. */
const COMMAND_ERRORS = [
  'SESSION_NOT_FOUND',
  'SESSION_NOT_OPEN',
  'TOO_MANY_COMMANDS',
  'INBOX_FULL',
  'NO_WORKER',
  'NOT_SUPPORTED',
  'OUTCOME_UNKNOWN',
] as const satisfies readonly ErrorCode[];

/** Those of every call that sends a message. */
const SENDING_ERRORS = [
  'ACCOUNT_RESTRICTED',
  'ADDRESSING_OUTDATED',
  'PACED',
  'SENDS_PAUSED',
] as const satisfies readonly ErrorCode[];

/** The parameters of all paths that name a session. */
export const sessionParamsSchema = z.object({ id: sessionIdSchema });

/** How long a REST call waits for a worker's answer unless it says otherwise, ms. */
const DEADLINE_MS = 15_000;

const CALL: Execution = {
  lane: 'calls',
  order: 'session',
  requires: 'open',
  deadlineMs: DEADLINE_MS,
  repeat: 'harmless',
};

type SessionCall<
  Params extends z.ZodRawShape,
  Query extends z.ZodRawShape,
  Body extends z.ZodRawShape,
  Reply extends z.ZodType,
> = Pick<
  RestCall,
  | 'access'
  | 'cost'
  | 'tag'
  | 'summary'
  | 'description'
  | 'bodyLimit'
  | 'files'
  | 'errors'
  | 'example'
  | 'isSecret'
> & {
  readonly route: `${Method} /api/sessions/:id/${string}`;
  /** The parameters of the path besides `:id`. */
  readonly params?: Params;
  readonly query?: z.ZodObject<Query>;
  readonly body?: z.ZodObject<Body>;
  readonly reply: Reply;
  readonly execution?: Partial<Execution>;
  readonly kindOf?: Command['kindOf'];
};

type NoFields = Record<never, never>;

type SessionParams = typeof sessionParamsSchema.shape;

/** The REST call of a command, with the types of its parameters, query, body and answer. */
export interface CommandCall<
  Params extends z.ZodRawShape,
  Query extends z.ZodRawShape,
  Body extends z.ZodRawShape,
  Reply extends z.ZodType,
> extends RestCall {
  readonly params: z.ZodObject<SessionParams & Params>;
  /** Undefined if `Query` has no fields. */
  readonly query?: z.ZodObject<Query>;
  /** Undefined if `Body` has no fields. */
  readonly body?: z.ZodObject<Body>;
  readonly answers: { readonly 200: Reply };
}

type SessionCommand<
  Fields extends z.ZodRawShape,
  Params extends z.ZodRawShape,
  Query extends z.ZodRawShape,
  Body extends z.ZodRawShape,
  Reply extends z.ZodType,
> = Command<z.ZodObject<Fields>, Reply, CommandCall<Params, Query, Body, Reply>> & {
  readonly rest: CommandCall<Params, Query, Body, Reply>;
};

/**
 * A REST call that the session's worker executes. The parameters of its path, its query and its body are the command's
 * fields: no two of them may have a field of the same name.
 */
export function sessionCommand<
  Reply extends z.ZodType,
  Params extends z.ZodRawShape = NoFields,
  Query extends z.ZodRawShape = NoFields,
  Body extends z.ZodRawShape = NoFields,
>(
  call: SessionCall<Params, Query, Body, Reply>,
): SessionCommand<Params & Query & Body, Params, Query, Body, Reply> {
  const { params, query, body, reply, execution, kindOf, ...rest } = call;
  const shape = { ...params, ...query?.shape, ...body?.shape } as Params & Query & Body;
  return {
    fields: z.object(shape),
    reply,
    execution: { ...CALL, ...execution },
    ...(kindOf === undefined ? {} : { kindOf }),
    rest: {
      ...rest,
      errors: [...COMMAND_ERRORS, ...rest.errors],
      params: z.object({ ...sessionParamsSchema.shape, ...params } as SessionParams & Params),
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
      answers: { 200: reply },
    },
  };
}

/** A REST call that only asks for something, which comes later as events: it is answered with 202. */
export function requestCommand<
  Reply extends z.ZodType,
  Params extends z.ZodRawShape = NoFields,
  Query extends z.ZodRawShape = NoFields,
  Body extends z.ZodRawShape = NoFields,
>(call: SessionCall<Params, Query, Body, Reply>) {
  const { rest, ...command } = sessionCommand(call);
  return { ...command, rest: { ...rest, answers: { 202: call.reply } } };
}

/** The id of a message, as its key has it: the sender's choice. */
export const messageIdSchema = z.string().min(1).max(255);

const messageIdField = { messageId: messageIdSchema };

/**
 * A REST call that sends a message. The edge chooses the message's id, so that a repeated command sends nothing twice.
 */
export function messageCommand<
  Reply extends z.ZodType,
  Params extends z.ZodRawShape = NoFields,
  Query extends z.ZodRawShape = NoFields,
  Body extends z.ZodRawShape = NoFields,
>(
  call: SessionCall<Params, Query, Body, Reply>,
): SessionCommand<Params & Query & Body & typeof messageIdField, Params, Query, Body, Reply> {
  const { fields, ...command } = sessionCommand({
    ...call,
    errors: [...call.errors, ...SENDING_ERRORS],
  });
  const shape = { ...fields.shape, ...messageIdField } as Params & Query & Body & typeof messageIdField;
  return {
    ...command,
    fields: z.object(shape),
    execution: { ...command.execution, repeat: 'once' },
  };
}

/** A command that sends a message and has no route of its own. It is bounded and ordered as one with a route. */
export function internalMessageCommand<Shape extends z.ZodRawShape, Reply extends z.ZodType>(command: {
  readonly fields: Shape;
  readonly reply: Reply;
  readonly execution?: Pick<Execution, 'deadlineMs'>;
}): Command<z.ZodObject<Shape & typeof messageIdField>, Reply> {
  return {
    fields: z.object({ ...command.fields, ...messageIdField } as Shape & typeof messageIdField),
    reply: command.reply,
    execution: { ...CALL, ...command.execution, repeat: 'once' },
  };
}

/** A command that the cluster's own processes send: no REST call. */
export function internalCommand<Shape extends z.ZodRawShape, Reply extends z.ZodType>(command: {
  readonly fields: Shape;
  readonly reply: Reply;
  readonly execution?: Partial<Execution>;
}): Command<z.ZodObject<Shape>, Reply> {
  const execution = {
    ...CALL,
    lane: 'control',
    order: 'none',
    requires: 'any',
    ...command.execution,
  } as const;
  return { fields: z.object(command.fields), reply: command.reply, execution };
}

/** The body of a call's example; undefined if the call has no body. */
export function exampleBody({ body, params, example = {} }: RestCall): object | undefined {
  if (body === undefined) return undefined;
  const inPath = params?.shape ?? {};
  // No example is of the path's `:id`, so that an `id` is one of the body.
  return Object.fromEntries(Object.entries(example).filter(([name]) => name === 'id' || !(name in inPath)));
}
