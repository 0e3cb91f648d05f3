import type { DeviceContext } from '../server/feature.js';

/** The variables of a query. */
export type Variables = Readonly<Record<string, unknown>>;

/** One query of WhatsApp's GraphQL interface, which clients name by a number. */
export interface MexQuery {
  /** The field of `data` that has the answer. */
  readonly path: string;
  /** Returns the answer. An `IqError` that it throws becomes an entry of `errors`. */
  readonly answer: (variables: Variables, context: DeviceContext) => unknown;
}

export type MexQueries = Readonly<Record<string, MexQuery>>;

/** A field of the variables that is an object; empty if it is not. */
export function objectIn(variables: Variables, field: string): Variables {
  const value = variables[field];
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export function textIn(variables: Variables, field: string): string {
  const value = variables[field];
  return typeof value === 'string' ? value : '';
}
