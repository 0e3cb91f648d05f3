import { parseEnvironment } from '@wafleet/runtime';
import type { z } from 'zod';
import { environment as edge } from '../../apps/edge/src/env.js';
import { environment as placer } from '../../apps/placer/src/env.js';
import { environment as worker } from '../../apps/worker/src/env.js';

/** Every app's environment schema, by the app's name. */
export const environments: Readonly<Record<string, z.ZodObject>> = { edge, placer, worker };

/**
 * Reads the variables as the app does when it starts: an empty one counts as not set.
 * @throws {StartError} naming each variable that has a wrong value.
 */
export function startWith(app: string, variables: Readonly<Record<string, string | undefined>>): void {
  const environment = environments[app];
  if (environment === undefined) throw new Error(`There is no app ${app}.`);
  parseEnvironment({ name: app, description: app, environment }, variables);
}
