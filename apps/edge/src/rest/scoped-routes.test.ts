import { problemSchema } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { describe, expect, it } from 'vitest';
import { AdminAccess } from '../auth/admin-access.js';
import { KeyAuthenticator } from '../auth/key-authenticator.js';
import { checkKeysOf } from '../auth/request-keys.js';
import { CallLine } from '../limits/call-line.js';
import { FairPace } from '../limits/fair-pace.js';
import { Turns } from '../limits/turns.js';
import { LONE_GUESSES } from '../testing/lone-guesses.js';
import { lineUpCalls } from './call-places.js';
import { createHttpServer } from './http-server.js';
import { requireScopes } from './scoped-routes.js';

function server() {
  const logger = createLogger({ app: 'test', level: 'silent' });
  const app = createHttpServer(logger);
  const keys = new KeyAuthenticator({
    authenticate: async (key) => ({
      ...{ id: key, tenantId: 'tnt_a', createdAt: 0 },
      scopes: key === 'reader' ? ['sessions:read'] : ['sessions:write'],
    }),
  });
  const connectionLimits = { addressOf: () => '203.0.113.7' };
  const line = new CallLine({
    limits: { callsPerTenant: 10, callsPerKey: 10 },
    turns: new Turns({ pace: new FairPace() }),
    onExceeded: () => {},
  });
  requireScopes(app, {
    admin: new AdminAccess('an admin token', {
      onExceeded: () => {},
      ...{ guesses: LONE_GUESSES, logger },
    }),
    checkKey: checkKeysOf({ keys }),
    connectionLimits,
    enterCall: lineUpCalls({ line, keys, connectionLimits }),
    charge: async () => 1,
  });
  return app;
}

describe('a route for API keys', () => {
  it('cannot be added without a scope and a cost', () => {
    const app = server();
    expect(() => app.get('/bare', async () => 'a secret')).toThrow('no scope is declared for GET /bare');
    expect(() => app.get('/other', { config: {} }, async () => 'a secret')).toThrow('no scope');
    expect(() => app.get('/free', { config: { scope: 'sessions:read' } }, async () => 'a secret')).toThrow(
      'no cost is declared for GET /free',
    );
  });

  it('lets in keys that have its scope, and no other', async () => {
    const app = server();
    app.get('/read', { config: { scope: 'sessions:read', cost: 1 } }, async () => 'a secret');
    const call = (key: string) => app.inject({ url: '/read', headers: { 'x-api-key': key } });
    expect(await call('reader')).toMatchObject({ statusCode: 200, body: 'a secret' });
    const refused = await call('writer');
    expect(refused.statusCode).toBe(403);
    expect(problemSchema.parse(refused.json()).error).toEqual({
      code: 'FORBIDDEN',
      message: 'This API key lacks the scope sessions:read.',
      details: { scope: 'sessions:read' },
    });
    await app.close();
  });
});
