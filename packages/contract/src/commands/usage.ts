import { usageSchema } from '../tenant-limits.js';
import type { RestCall } from './definition.js';

export const usageCalls = {
  'get-usage': {
    route: 'GET /api/usage',
    access: 'sessions:read',
    cost: 2,
    tag: 'usage',
    summary: 'Get what the tenant uses, and what it may use',
    description: 'For the whole cluster. The rate of API keys is that of the key that asks.',
    answers: { 200: usageSchema },
    errors: [],
    isSecret: true,
  },
} as const satisfies Record<string, RestCall>;
