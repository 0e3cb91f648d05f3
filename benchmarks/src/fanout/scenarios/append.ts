import { BenchRedis } from '../../harness/redis.js';
import type { Row } from '../../harness/report.js';
import { type Rounds, roundsOf, rowOf, type Scenario } from '../../harness/scenario.js';
import { Publisher } from '../load.js';
import type { Audience, ContenderName } from '../protocol.js';

const CONTENDERS: readonly ContenderName[] = ['product', 'floor', 'peer'];
const COMMAND_LIMIT_US = 25;

interface Cost {
  /** CPU of Redis per event, µs. */
  readonly perEvent: number;
  /** The part of it inside the commands that append and publish, as measured by Redis. */
  readonly inCommand: number;
}

/** Appending and publishing events in Redis, with an append-only file as in a deployment. */
export const append: Scenario = {
  name: 'append',
  about: 'append and publish: CPU of Redis for an event, for few and for many tenants',

  async run(settings) {
    const rounds = roundsOf(settings);
    const events = settings.quick ? 2_000 : 10_000;
    const redis = await BenchRedis.start({ appendOnly: true });
    redis.measureOn(settings.cores);
    const publisher = new Publisher(redis.url);
    const audiences: Audience[] = [];
    const rows: Row[] = [];
    try {
      for (const tenants of settings.quick ? [10, 100] : [10, 100, 1_000, 10_000]) {
        audiences.push(...(await publisher.prepare(tenants - audiences.length)));
        const costs: Record<ContenderName, Cost[]> = { product: [], floor: [], peer: [] };
        for (let round = 0; round <= rounds; round += 1) {
          for (const contender of CONTENDERS) {
            const cost = await costOfAnEvent({ redis, publisher, contender, audiences, events });
            if (round > 0) costs[contender].push(cost);
          }
        }
        rows.push(...rowsOf(tenants, costs));
      }
      return rows;
    } finally {
      await publisher.stop();
      await redis.stop();
    }
  },
};

function rowsOf(tenants: number, costs: Rounds<Cost>): Row[] {
  const scenario = `append and publish, ${tenants} tenants`;
  const inCommand = { scenario, measure: 'in its commands, µs/event' };
  const cpu = { scenario, measure: 'CPU of Redis, µs/event' };
  const pace = { scenario, measure: 'events/s per core of Redis' };
  return [
    rowOf(inCommand, costs, (cost) => cost.inCommand, { itself: COMMAND_LIMIT_US }),
    rowOf(cpu, costs, ({ perEvent }) => perEvent),
    rowOf(pace, costs, ({ perEvent }) => 1_000_000 / perEvent),
  ];
}

/** The commands that store an event. The floor uses plain ones: no fence, no gapless positions. */
const COMMANDS: Readonly<Record<ContenderName, readonly string[]>> = {
  product: ['evalsha'],
  floor: ['xadd', 'spublish'],
  peer: ['publish'],
};

async function costOfAnEvent(options: {
  redis: BenchRedis;
  publisher: Publisher;
  contender: ContenderName;
  audiences: readonly Audience[];
  events: number;
}): Promise<Cost> {
  const { redis, publisher, contender, audiences, events } = options;
  const used = async () => ({
    cpu: await redis.cpuTime(),
    commands: await redis.commandStatistics(COMMANDS[contender]),
  });
  const before = await used();
  await publisher.publish({ contender, audiences, events, kept: true });
  const after = await used();
  const taken = (after.commands.calls - before.commands.calls) / COMMANDS[contender].length;
  if (taken < events)
    throw new Error(`Redis received ${taken} events of the ${contender} instead of ${events}`);
  return {
    perEvent: (after.cpu - before.cpu) / events,
    inCommand: (after.commands.microseconds - before.commands.microseconds) / events,
  };
}
