import type { z } from 'zod';
import type { ControlledSimulator } from './controlled-simulator.js';
import type { Lookup } from './lookup.js';

/** What the handler of a request gets. */
export interface ControlRequest<Body> {
  readonly simulator: ControlledSimulator;
  readonly find: Lookup;
  /** A parameter of the path. Throws if the path does not have it. */
  param(name: string): string;
  readonly body: Body;
}

/** One route of the control API: the request, the schema of its body, and the answer (204 if it is empty). */
export interface ControlRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body: z.ZodType;
  handle(request: ControlRequest<unknown>): unknown;
}

/** A route whose handler gets the body as parsed by its schema. */
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
