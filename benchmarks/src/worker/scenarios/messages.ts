import type { Row } from '../../harness/report.js';
import { type Limits, rowOf, type Scenario } from '../../harness/scenario.js';
import { inTurns } from '../in-turns.js';
import { lostRow } from '../lost-row.js';
import { type Load, Stage } from '../stage.js';

const SESSIONS = 200;

interface Measurement {
  readonly about: string;
  readonly load: Load;
  readonly limits?: Limits;
}

/** The rates are those that plain Baileys can sustain on one core. */
const MEASUREMENTS: readonly Measurement[] = [
  {
    about: 'received 1:1',
    load: { direction: 'in', chat: 'contact', each: 2, perSecond: 80 },
    limits: { peer: 0.4 },
  },
  {
    about: 'received in a group of 5',
    load: { direction: 'in', chat: 'group', each: 1, perSecond: 40 },
    limits: { peer: 0.3 },
  },
  {
    about: 'sent to a group of 5',
    load: { direction: 'out', chat: 'group', each: 1, perSecond: 20 },
    limits: { peer: 0.3 },
  },
];

/** Sessions that receive and send messages. */
export const messages: Scenario = {
  name: 'messages',
  about: `messages received, and those of groups sent as well, ${SESSIONS} sessions: CPU for each; none may be lost`,

  async run({ cores, quick }) {
    const sessions = quick ? 10 : SESSIONS;
    const stage = await Stage.start(cores);
    try {
      const contenders = {
        product: await stage.add('product', sessions),
        peer: await stage.add('peer', sessions),
      };
      for (const contender of Object.values(contenders)) {
        await stage.acquaint(contender, 'contact', 50);
        await stage.acquaint(contender, 'group', 20);
      }
      const rows: Row[] = [];
      for (const { about, load, limits } of MEASUREMENTS) {
        const windows = await inTurns(contenders, { quick }, (contender) => stage.messages(contender, load));
        const scenario = `${about}, ${sessions} sessions`;
        rows.push(
          rowOf({ scenario, measure: 'CPU, µs/message' }, windows, ({ perUnit }) => perUnit, limits),
          rowOf(
            { scenario, measure: 'CPU of Redis, µs/message' },
            { product: windows.product ?? [] },
            ({ redisPerUnit }) => redisPerUnit,
          ),
        );
      }
      return [
        ...rows,
        lostRow(`messages, ${sessions} sessions`, { product: [contenders.product], peer: [contenders.peer] }),
      ];
    } finally {
      await stage.stop();
    }
  },
};
