import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLog } from './event-log.js';
import { Ownership } from './ownership.js';
import { type Fence, FencedError } from './session-ref.js';
import { SessionDirectory } from './sessions.js';
import { claimed, ownedSession, useRedis } from './testing/redis-fixture.js';

const fixture = useRedis();
const ref = { tenantId: 'tnt_a', sessionId: 'shop' };

describe('a claim', () => {
  test('of a free session gives the first epoch', async () => {
    await new SessionDirectory(fixture.redis).create(ref);
    const ownership = new Ownership(fixture.redis);
    expect(await ownership.read(ref)).toBeUndefined();
    expect(await ownership.claim(ref, { worker: 'wrk_a' })).toEqual({
      fence: { ...ref, epoch: 1, worker: 'wrk_a' },
    });
    expect(await ownership.read(ref)).toEqual({ epoch: 1, worker: 'wrk_a' });
  });

  test('of a session that is in no directory is refused', async () => {
    await expect(new Ownership(fixture.redis).claim(ref, { worker: 'wrk_a' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    expect(await fixture.redis.dbsize()).toBe(0);
  });

  test('of another worker’s session is refused and names the owner', async () => {
    await ownedSession(fixture.redis, ref, 'wrk_a');
    const ownership = new Ownership(fixture.redis);
    const refused = { refusedBy: { epoch: 1, worker: 'wrk_a' } };
    expect(await ownership.claim(ref, { worker: 'wrk_b' })).toEqual(refused);
    expect(await ownership.claim(ref, { worker: 'wrk_b', expectPrevious: 'wrk_c' })).toEqual(refused);
  });

  test('by the same worker fences its earlier claim off', async () => {
    const first = await ownedSession(fixture.redis, ref, 'wrk_a');
    const second = await claimed(fixture.redis, ref, 'wrk_a');
    expect(second.epoch).toBe(2);
    const log = new EventLog(fixture.redis, { maxLength: 10 });
    await expect(log.append(first, [{ event: 'call', body: '{"a":1}' }])).rejects.toThrow(FencedError);
    await log.append(second, [{ event: 'call', body: '{"a":1}' }]);
  });

  test('is won by one of many rivals with the same evidence', async () => {
    await ownedSession(fixture.redis, ref, 'wrk_dead');
    const rivals = Array.from({ length: 10 }, (_, index) => ({
      worker: `wrk_${index}`,
      ownership: new Ownership(fixture.connect('command')),
    }));
    const results = await Promise.all(
      rivals.map(({ worker, ownership }) => ownership.claim(ref, { worker, expectPrevious: 'wrk_dead' })),
    );
    const winners = results.filter((result) => 'fence' in result).map(({ fence }) => fence.worker);
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if ('refusedBy' in result) expect(result.refusedBy).toEqual({ epoch: 2, worker: winners[0] });
    }
  });
});

test('a release clears the worker, keeps the epoch and happens once', async () => {
  const fence = await ownedSession(fixture.redis, ref, 'wrk_a');
  const ownership = new Ownership(fixture.redis);
  expect(await ownership.release(fence)).toBe(true);
  expect(await ownership.read(ref)).toEqual({ epoch: 1, worker: undefined });
  expect(await ownership.release(fence)).toBe(false);
  expect((await claimed(fixture.redis, ref, 'wrk_b')).epoch).toBe(2);
});

test('readMany keeps the order and tells what was never claimed', async () => {
  const other = { tenantId: 'tnt_b', sessionId: 'desk' };
  await ownedSession(fixture.redis, ref, 'wrk_a');
  await ownedSession(fixture.redis, other, 'wrk_b');
  const unknown = { tenantId: 'tnt_b', sessionId: 'none' };
  expect(await new Ownership(fixture.redis).readMany([other, unknown, ref])).toEqual([
    { epoch: 1, worker: 'wrk_b' },
    undefined,
    { epoch: 1, worker: 'wrk_a' },
  ]);
});

test('whatever workers do in whatever order, epochs of writes never overlap', async () => {
  const workers = ['wrk_a', 'wrk_b', 'wrk_c'];
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.record({ act: fc.constant('claim'), previous: fc.constantFrom(...workers) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('release') }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('write') }) },
  );
  const schedule = fc.array(step, { minLength: 5, maxLength: 20 });
  const log = new EventLog(fixture.redis, { maxLength: 1000 });
  let written = 0;
  let refused = 0;

  /** One worker's steps. It keeps its latest fence after it lost the session, as a paused process would. */
  async function act(worker: string, steps: ({ act: string } | { act: string; previous: string })[]) {
    const ownership = new Ownership(fixture.redis);
    let fence: Fence | undefined;
    for (const next of steps) {
      if ('previous' in next) {
        const claim = await ownership.claim(ref, { worker, expectPrevious: next.previous });
        if ('fence' in claim) fence = claim.fence;
      } else if (fence !== undefined && next.act === 'release') {
        await ownership.release(fence);
      } else if (fence !== undefined) {
        if (await writeEpoch(log, fence)) written++;
        else refused++;
      }
    }
  }

  await fc.assert(
    fc.asyncProperty(fc.tuple(schedule, schedule, schedule), async (schedules) => {
      await fixture.redis.flushall();
      await new SessionDirectory(fixture.redis).create(ref);
      await Promise.all(workers.map((worker, index) => act(worker, schedules[index] ?? [])));

      const events = await log.read(ref.tenantId, { after: undefined, count: 1000 });
      const writers = new Map<number, string>();
      let latest = 0;
      for (const { body } of events) {
        const { epoch, by }: { epoch: number; by: string } = JSON.parse(body);
        expect(epoch).toBeGreaterThanOrEqual(latest);
        expect(writers.get(epoch) ?? by).toBe(by);
        writers.set(epoch, by);
        latest = epoch;
      }
    }),
    { numRuns: 50 },
  );
  expect(written).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(0);
});

async function writeEpoch(log: EventLog, fence: Fence): Promise<boolean> {
  const body = JSON.stringify({ epoch: fence.epoch, by: fence.worker });
  try {
    await log.append(fence, [{ event: 'call', body }]);
    return true;
  } catch (error) {
    if (error instanceof FencedError) return false;
    throw error;
  }
}
