import type { z } from 'zod';
import type { Simulator } from '../simulator.js';
import type { Lookup } from './lookup.js';

/** What the handler of a request gets. */
export interface ControlRequest<Body> {
  readonly simulator: Simulator;
  readonly find: Lookup;
  /** A parameter of the path; throws for one that the path does not have. */
  param(name: string): string;
  readonly body: Body;
}

/** One line of the control API: what is asked, the schema of its body, what is answered (nothing: 204). */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body: z.ZodType;
  handle(request: ControlRequest<unknown>): unknown;
}

/** A route whose handler sees the body as its schema has parsed it. */
export function route<Schema extends z.ZodType>(
  method: ControlRoute['method'],
  path: string,
  body: Schema,
  handle: (request: ControlRequest<z.infer<Schema>>) => unknown,
): ControlRoute {
  return {
    method,
    path: `/control${path}`,
    body,
    handle: (request) => handle({ ...request, body: body.parse(request.body) }),
  };
}
