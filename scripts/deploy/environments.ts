import type { z } from 'zod';
import { environment as edge } from '../../apps/edge/src/env.js';
import { environment as placer } from '../../apps/placer/src/env.js';
import { environment as worker } from '../../apps/worker/src/env.js';

/** Every app's environment schema, by the app's name. */
export const environments: Readonly<Record<string, z.ZodObject>> = { edge, placer, worker };
