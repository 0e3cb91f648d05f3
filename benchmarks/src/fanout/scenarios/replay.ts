import { roundsOf, rowOf, type Scenario } from '../../harness/scenario.js';
import { type Contender, Stage } from '../stage.js';

const LIVE_PER_SECOND = 200;
const POSITION = /-(\d+)$/;

/** A client reconnects after it missed many events, while more are published. */
export const replay: Scenario = {
  name: 'replay',
  about: 'a client resumes after many missed events under live traffic: nothing lost, nothing out of order',

  async run(settings) {
    const missed = settings.quick ? 500 : 10_000;
    const stage = await Stage.start({
      cores: settings.cores,
      lenient: settings.quick,
      contenders: ['product'],
      tenants: 1,
      clientsPerTenant: 1,
    });
    try {
      const times: number[] = [];
      for (let round = 0; round < roundsOf(settings); round += 1) {
        times.push(await timeOfReplay(stage, stage.contender('product'), missed));
      }
      const scenario = `replay of ${missed} events, ${LIVE_PER_SECOND} events/s live`;
      const row = rowOf({ scenario, measure: 'until whole, ms' }, { product: times }, (time) => time);
      return [{ ...row, bars: [{ demand: 'no loss, no reorder', held: true }] }];
    } finally {
      await stage.stop();
    }
  },
};

/** Time from the client's connect until it has all missed events, ms. Events published meanwhile must follow. */
async function timeOfReplay(stage: Stage, { server, clients }: Contender, missed: number): Promise<number> {
  const [audience] = stage.audiences;
  if (audience === undefined) throw new Error('there is no tenant');
  const publish = (events: number, perSecond?: number) =>
    stage.publisher.publish({ contender: 'product', audiences: stage.audiences, events, perSecond });
  const { position: since = '' } = await publish(1);
  await publish(missed);
  const [{ recovered, misplaced, received, missedMs }] = await Promise.all([
    clients.resume({
      port: server.port,
      apiKey: audience.apiKey,
      since,
      first: Number(POSITION.exec(since)?.[1]) + 1,
      missed,
      count: missed + LIVE_PER_SECOND,
    }),
    publish(LIVE_PER_SECOND, LIVE_PER_SECOND),
  ]);
  if (!recovered) throw new Error('the server could not replay the missed events');
  if (misplaced > 0) throw new Error(`${misplaced} of ${received} events did not follow the one before`);
  return missedMs;
}
