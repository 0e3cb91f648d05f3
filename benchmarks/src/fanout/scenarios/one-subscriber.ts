import { roundsOf, rowOf, type Scenario, type Settings } from '../../harness/scenario.js';
import { type Load, Stage } from '../stage.js';

/** The limits of the product for an event with one subscriber. */
export const ONE_SUBSCRIBER_LIMITS = { floor: 1.25, peer: 0.5 };

/** Every event has one subscriber. */
export const oneSubscriber: Scenario = {
  name: 'one-subscriber',
  about: 'each event goes to one client of many: CPU when a server has more to do than it can',

  async run(settings) {
    const stage = await startLoners(settings);
    try {
      const windows = await stage.rounds(roundsOf(settings), saturating(stage));
      const labels = {
        scenario: `1 subscriber, saturated, ${stage.audiences.length} clients`,
        measure: 'CPU, µs/event',
      };
      return [rowOf(labels, windows, ({ perEvent }) => perEvent, ONE_SUBSCRIBER_LIMITS)];
    } finally {
      await stage.stop();
    }
  },
};

/** Clients that are each the only one of their tenant. */
export function startLoners({ cores, quick }: Settings): Promise<Stage> {
  return Stage.start({
    cores,
    lenient: quick,
    contenders: ['product', 'floor', 'peer'],
    tenants: quick ? 200 : 2_000,
    clientsPerTenant: 1,
  });
}

/** Enough events to keep a server busy for a while. All are published before it starts. */
export function saturating({ audiences }: Stage): Load {
  return { events: 10 * audiences.length, backlog: true };
}
