import { roundsOf, rowOf, type Scenario } from '../../harness/scenario.js';
import { Stage } from '../stage.js';

const SUBSCRIBERS = 100;
const DELIVERIES_PER_SECOND = 200_000;
/** The lowest rate that is accepted, for machines on which the load and Redis share one core. */
const LEAST_DELIVERIES_PER_SECOND = 100_000;
const LOW_EVENTS_PER_SECOND = 50;

/** Every event has a hundred subscribers: the clients of one tenant. */
export const manySubscribers: Scenario = {
  name: 'many-subscribers',
  about: `each event goes to ${SUBSCRIBERS} clients: CPU when more is offered than a server can do, and at a low rate`,

  async run(settings) {
    const tenants = settings.quick ? 4 : 20;
    const stage = await Stage.start({
      cores: settings.cores,
      lenient: settings.quick,
      contenders: ['product', 'floor', 'peer'],
      tenants,
      clientsPerTenant: SUBSCRIBERS,
    });
    try {
      const rounds = roundsOf(settings);
      const high = await stage.rounds(rounds, {
        events: tenants * (settings.quick ? 25 : 100),
        perSecond: DELIVERIES_PER_SECOND / SUBSCRIBERS,
        atLeastPerSecond: LEAST_DELIVERIES_PER_SECOND / SUBSCRIBERS,
      });
      const low = await stage.rounds(rounds, {
        events: tenants * (settings.quick ? 10 : 8),
        perSecond: LOW_EVENTS_PER_SECOND,
      });
      const measure = 'CPU, µs/delivery';
      const overload = `${SUBSCRIBERS} subscribers, ≥ 100k deliveries/s offered`;
      const quiet = `${SUBSCRIBERS} subscribers, ${LOW_EVENTS_PER_SECOND} events/s`;
      return [
        rowOf({ scenario: overload, measure }, high, ({ perDelivery }) => perDelivery, { floor: 0.5 }),
        rowOf({ scenario: quiet, measure }, low, ({ perDelivery }) => perDelivery, { floor: 1.2 }),
      ];
    } finally {
      await stage.stop();
    }
  },
};
