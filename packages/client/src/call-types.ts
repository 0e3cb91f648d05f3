import type { RestCall, RestCalls } from '@wafleet/contract';
import type { z } from 'zod';

type Answers<Call extends RestCall> = Call['answers'][keyof Call['answers']];

/** What JSON an answer holds; never if it holds none. */
type JsonOf<Answer> = Answer extends z.ZodType
  ? z.output<Answer>
  : Answer extends { readonly content: { readonly 'application/json': { readonly schema: infer Json } } }
    ? Json extends z.ZodType
      ? z.output<Json>
      : never
    : never;

/** The names of the calls that answer with JSON or nothing: all but streams, files, and headers alone. */
export type CallName = {
  [Name in keyof RestCalls]: RestCalls[Name]['route'] extends `HEAD ${string}`
    ? never
    : [JsonOf<Answers<RestCalls[Name]>>] extends [never]
      ? never
      : Name;
}[keyof RestCalls];

/** What a call resolves with: one type for each status of success, null for an answer without a body. */
export type CallReply<Name extends CallName> = JsonOf<Answers<RestCalls[Name]>>;

type Nothing = Record<never, never>;

/** A part of a call's input: left out if the call has no such part, optional if none of its fields is required. */
type InputPart<Call, Part extends 'params' | 'query' | 'body'> =
  Call extends Readonly<Partial<Record<Part, infer Schema>>>
    ? Exclude<Schema, undefined> extends infer Given extends z.ZodType
      ? Given extends z.ZodObject<infer Shape>
        ? [keyof Shape] extends [never]
          ? Nothing
          : Field<Part, z.input<Given>>
        : Field<Part, z.input<Given>>
      : Nothing
    : Nothing;

type Field<Part extends string, Value> = Nothing extends Value
  ? { readonly [P in Part]?: Value | undefined }
  : { readonly [P in Part]: Value };

/** The key of a call that may take one, as far as the types of the contract tell. */
type KeyPart<Call extends RestCall> = [Extract<Call['route'], `POST ${string}`>] extends [never]
  ? Nothing
  : Call extends { readonly isSecret: true }
    ? Nothing
    : {
        /** Names what is to be done, such as a UUID: another attempt with it does not act twice. */
        readonly idempotencyKey?: string | undefined;
      };

/** Distributes over a union of calls, whose parts would otherwise be combined with each other. */
type InputOf<Call extends RestCall> = Call extends RestCall
  ? InputPart<Call, 'params'> & InputPart<Call, 'query'> & InputPart<Call, 'body'> & KeyPart<Call>
  : never;

type ArgumentsOf<Call extends RestCall> = Call extends RestCall
  ? Nothing extends InputOf<Call>
    ? [input?: InputOf<Call>]
    : [input: InputOf<Call>]
  : never;

/** What a call takes: the parameters of its path, its query, its body, and an idempotency key. */
export type CallInput<Name extends CallName> = InputOf<RestCalls[Name]>;

/** The arguments of a call after its name: none are needed if nothing in the input is required. */
export type CallArguments<Name extends CallName> = ArgumentsOf<RestCalls[Name]>;
