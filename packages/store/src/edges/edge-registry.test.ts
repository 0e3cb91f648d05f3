import { describe, expect, it } from 'vitest';
import { keys } from '../redis/keyspace.js';
import { useRedis } from '../testing/redis-fixture.js';
import { EDGE_LIFE_MS, EdgeRegistry } from './edge-registry.js';

const fixture = useRedis();
const peerAddress = { host: '10.0.0.5', port: 3083, token: 'secret' };

describe('an edge', () => {
  it('is found while it is registered, with an address or without', async () => {
    const registry = new EdgeRegistry(fixture.redis);
    expect(await registry.find('edge_a')).toBeUndefined();
    await registry.register('edge_a', { peerAddress });
    await registry.register('edge_b', {});
    expect(await registry.find('edge_a')).toEqual({ peerAddress });
    expect(await registry.find('edge_b')).toEqual({});
    await registry.remove('edge_a');
    expect(await registry.find('edge_a')).toBeUndefined();
  });

  it('is forgotten unless it registers again', async () => {
    const registry = new EdgeRegistry(fixture.redis);
    await registry.register('edge_a', {});
    const lifeMs = await fixture.redis.pttl(keys.edge('edge_a'));
    expect(lifeMs).toBeGreaterThan(0);
    expect(lifeMs).toBeLessThanOrEqual(EDGE_LIFE_MS);
  });

  it('whose registration has another shape counts as none', async () => {
    await fixture.redis.set(keys.edge('edge_a'), JSON.stringify({ peerAddress: { host: 7 } }));
    expect(await new EdgeRegistry(fixture.redis).find('edge_a')).toBeUndefined();
  });
});
