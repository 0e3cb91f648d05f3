import { rowOf, type Scenario } from '../../harness/scenario.js';
import { inTurns } from '../in-turns.js';
import { Stage } from '../stage.js';

const SESSIONS = 50;

/** Sessions that WhatsApp makes log in again. */
export const logins: Scenario = {
  name: 'logins',
  about: `${SESSIONS} sessions whose connections are closed log in again: CPU for each`,

  async run({ cores, quick }) {
    const sessions = quick ? 5 : SESSIONS;
    const stage = await Stage.start(cores);
    try {
      const contenders = {
        product: await stage.add('product', sessions),
        peer: await stage.add('peer', sessions),
      };
      const windows = await inTurns(contenders, { quick }, (contender) =>
        stage.logins(contender, contender.sessions),
      );
      const scenario = `${sessions} sessions log in again`;
      return [
        rowOf({ scenario, measure: 'CPU, ms/login' }, windows, ({ perUnit }) => perUnit / 1_000, {
          peer: 0.5,
        }),
      ];
    } finally {
      await stage.stop();
    }
  },
};
