import { setTimeout as delay } from 'node:timers/promises';
import { cpuTimeOf } from '../../harness/cpu-time.js';
import { roundsOf, rowOf, type Scenario } from '../../harness/scenario.js';
import { type Contender, Stage } from '../stage.js';

const PER_SECOND = 20_000;
const CLIENTS = 20;
const STRANGERS = 100;

/** Other tenants are busy, but have no clients on this server. */
export const noSubscribers: Scenario = {
  name: 'no-subscribers',
  about: 'events of tenants without a client here: CPU for each, beyond that of an idle server',

  async run(settings) {
    const contenders = ['product', 'peer'] as const;
    const windowMs = settings.quick ? 500 : 3_000;
    const stage = await Stage.start({
      cores: settings.cores,
      lenient: settings.quick,
      contenders,
      tenants: CLIENTS,
      clientsPerTenant: 1,
      strangers: STRANGERS,
    });
    try {
      const costs: Record<'product' | 'peer', Cost[]> = { product: [], peer: [] };
      for (let round = 0; round <= roundsOf(settings); round += 1) {
        for (const name of contenders) {
          const cost = await costOfAnEvent(stage, stage.contender(name), windowMs);
          if (round > 0) costs[name].push(cost);
        }
      }
      const scenario = 'no subscribers';
      return [
        rowOf({ scenario, measure: 'CPU, µs/event' }, costs, ({ perEvent }) => perEvent, { itself: 0.2 }),
        rowOf({ scenario, measure: 'published, events/s' }, costs, ({ perSecond }) => perSecond),
      ];
    } finally {
      await stage.stop();
    }
  },
};

interface Cost {
  /** CPU of the server, µs, beyond its idle CPU. */
  readonly perEvent: number;
  readonly perSecond: number;
}

/** Measures the idle CPU before and after, because it is about as large as the cost of the events. */
async function costOfAnEvent(
  stage: Stage,
  { name, server, clients }: Contender,
  windowMs: number,
): Promise<Cost> {
  const idleOver = async (milliseconds: number) => {
    const before = cpuTimeOf(server.process.pid);
    await delay(milliseconds);
    return (cpuTimeOf(server.process.pid) - before) / milliseconds;
  };
  await clients.expect(1, { timed: false });
  const idleBefore = await idleOver(windowMs);
  const events = (PER_SECOND * windowMs) / 1_000;
  const before = cpuTimeOf(server.process.pid);
  const { elapsedMs } = await stage.publisher.publish({
    contender: name,
    audiences: stage.strangers,
    events,
    perSecond: PER_SECOND,
  });
  const busy = cpuTimeOf(server.process.pid) - before;
  const idleAfter = await idleOver(windowMs);
  const { received } = await clients.tally();
  if (received !== 0) throw new Error(`the ${name} delivered ${received} events to clients of other tenants`);
  return {
    perEvent: (busy - ((idleBefore + idleAfter) / 2) * elapsedMs) / events,
    perSecond: (events * 1_000) / elapsedMs,
  };
}
